//! Laws of `covers`, over every short combination of the parts that the rule knows and over random text.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sealwright_scope::{
    ADMIN, LEVELS, MANAGEMENT_ADMIN, check, covers, is_level, is_management, is_scope, resource_and_action,
    wildcard_resource,
};

const PARTS: [&str; 9] = [":", "*", "a", "read", "write", "admin", "sealwright.", "sealwright.admin", "é"];

/// Every text of at most three parts.
fn combinations() -> BTreeSet<String> {
    let mut all = BTreeSet::from([String::new()]);
    for _ in 0..3 {
        let longer = all.iter().flat_map(|text| PARTS.map(|part| format!("{text}{part}")));
        all = longer.chain(all.iter().cloned()).collect();
    }
    all
}

/// A text of up to eight parts, or any text.
fn text() -> impl Strategy<Value = String> {
    let of_parts = prop::collection::vec(prop::sample::select(&PARTS[..]), 0..8).prop_map(|parts| parts.concat());
    prop_oneof![3 => of_parts, 1 => any::<String>()]
}

/// A resource, of a business scope or of a management permission.
fn resource() -> impl Strategy<Value = String> {
    r"(sealwright\.)?[a-z*.][a-z:*.]{0,20}"
}

#[test]
fn covers_is_a_partial_order() {
    let all = combinations();
    for granted in &all {
        assert!(covers(granted, granted), "{granted:?}");
        for covered in all.iter().filter(|required| covers(granted, required)) {
            assert!(granted == covered || !covers(covered, granted), "{granted:?} {covered:?}");
            for required in all.iter().filter(|required| covers(covered, required)) {
                assert!(covers(granted, required), "{granted:?} {covered:?} {required:?}");
            }
        }
    }
}

#[test]
fn business_scopes_and_management_permissions_never_cover_each_other() {
    let (management, business): (Vec<String>, Vec<String>) =
        combinations().into_iter().partition(|text| is_management(text));
    for permission in &management {
        assert!(covers(MANAGEMENT_ADMIN, permission), "{permission:?}");
        for scope in &business {
            assert!(!covers(permission, scope) && !covers(scope, permission), "{permission:?} {scope:?}");
        }
    }
    assert!(business.iter().all(|scope| covers(ADMIN, scope)));
}

#[test]
fn only_admin_covers_what_has_no_action() {
    let all = combinations();
    for required in all.iter().filter(|required| resource_and_action(required).is_none()) {
        for granted in all.iter().filter(|granted| *granted != required && covers(granted, required)) {
            assert!(granted == ADMIN || granted == MANAGEMENT_ADMIN, "{granted:?} {required:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_decided(granted in text(), required in text()) {
        prop_assert!(covers(&granted, &granted));
        if covers(&granted, &required) {
            prop_assert_eq!(is_management(&granted), is_management(&required));
            prop_assert!(granted == required || !covers(&required, &granted));
        }
        prop_assert_eq!(check(&granted).is_ok(), is_scope(&granted));
    }

    #[test]
    fn no_business_scope_covers_a_management_permission(scope in text(), rest in text()) {
        let permission = format!("sealwright.{rest}");
        prop_assert!(is_management(&scope) || !covers(&scope, &permission));
    }

    #[test]
    fn a_level_covers_exactly_its_action(resource in resource(), action in "[a-z]{1,8}|read|write|delete") {
        let required = format!("{resource}:{action}");
        for level in LEVELS {
            prop_assert!(is_level(level));
            prop_assert_eq!(covers(level, &required), level == action && !is_management(&resource), "{}", level);
            prop_assert!(LEVELS.iter().all(|other| covers(level, other) == (*other == level)));
        }
    }

    #[test]
    fn a_wildcard_covers_every_action_on_its_resource(resource in resource(), action in "[a-z:*.]{0,20}[a-z*.]") {
        let (wildcard, required) = (format!("{resource}:*"), format!("{resource}:{action}"));
        prop_assert_eq!(wildcard_resource(&wildcard), Some(resource.as_str()));
        prop_assert!(covers(&wildcard, &required));
        let without_action = format!("{resource}:");
        prop_assert!(!covers(&wildcard, &resource) && !covers(&wildcard, &without_action));

        let (inner, deeper) = (format!("{required}:*"), format!("{required}:a"));
        prop_assert!(covers(&wildcard, &inner) && covers(&inner, &deeper) && covers(&wildcard, &deeper));
        prop_assert!(!covers(&inner, &required));
    }

    #[test]
    fn resource_and_action_make_up_the_scope(scope in text()) {
        if let Some((resource, action)) = resource_and_action(&scope) {
            prop_assert_eq!(format!("{resource}:{action}"), scope.as_str());
            prop_assert!(!resource.is_empty() && !action.is_empty() && !action.contains(':'));
        }
    }
}
