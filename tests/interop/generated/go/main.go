// A Go client that openapi-generator made of the document, as a user has it. It needs the standard library only.
//
// Settings, all from the environment:
//
//	ADDRESS  the server
//	KEY      an API key that may create clients and keys
//
// Exit status: 0, or 1 at the first check that fails.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"slices"

	sealwright "sealwright_client"
)

func check(ok bool, what string) {
	if !ok {
		log.Fatal(what)
	}
}

func must[T any](value T, _ any, err error) T {
	if err != nil {
		var refused *sealwright.GenericOpenAPIError
		if errors.As(err, &refused) {
			log.Fatalf("%v: %s", err, refused.Body())
		}
		log.Fatal(err)
	}
	return value
}

func main() {
	log.SetFlags(log.Lshortfile)
	configuration := sealwright.NewConfiguration()
	configuration.Servers = sealwright.ServerConfigurations{{URL: os.Getenv("ADDRESS")}}
	for operation := range configuration.OperationServers {
		configuration.OperationServers[operation] = configuration.Servers
	}
	api := sealwright.NewAPIClient(configuration)
	caller := map[string]sealwright.APIKey{"api_key": {Key: os.Getenv("KEY")}}
	manager := context.WithValue(context.Background(), sealwright.ContextAPIKeys, caller)

	// Create: the secret comes with the object.
	create := sealwright.NewClientCreate("billing", []string{"orders:read"})
	create.SetAllowedIps([]string{"127.0.0.1"})
	create.SetRatePerMinuteNil()
	client := must(api.ClientsAPI.CreateClient(manager).ClientCreate(*create).IdempotencyKey("create").Execute())
	check(client.GetClientSecret() != "", "the client has no secret")
	check(!client.RatePerMinute.IsSet() || client.RatePerMinute.Get() == nil, "the client has a rate limit")
	createKey := sealwright.NewApiKeyCreate("nightly export")
	createKey.SetScopes([]string{"orders:read"})
	createKey.SetType(sealwright.API_KEY_TYPE_PARTNER)
	key := must(api.APIKeysAPI.CreateKey(manager).ApiKeyCreate(*createKey).Execute())
	check(key.GetKey() != "", "the key has no value")
	again := must(api.ClientsAPI.CreateClient(manager).ClientCreate(*create).IdempotencyKey("create").Execute())
	check(again.Id == client.Id && again.GetClientSecret() == client.GetClientSecret(), "a repeated request did more")

	// Lists, page by page.
	page := must(api.ClientsAPI.ListClients(manager).Name("billing").Limit(1).Execute())
	check(len(page.Data) == 1 && page.Data[0].Id == client.Id, "the client is not listed")
	first := must(api.APIKeysAPI.ListKeys(manager).Limit(1).Execute())
	second := must(api.APIKeysAPI.ListKeys(manager).Limit(1).Cursor(first.GetNextCursor()).Execute())
	check(first.Data[0].Id == key.Id && second.Data[0].Id != key.Id, "the pages are not in order")

	// Change, rotate.
	change := sealwright.NewApiKeyUpdate()
	change.SetDescription("Runs at night.")
	changed := must(api.APIKeysAPI.UpdateKey(manager, key.Id).ApiKeyUpdate(*change).Execute())
	check(changed.Description == "Runs at night." && changed.Name == "nightly export", "the key is not changed")
	rotation := sealwright.NewSecretRotation()
	rotation.SetGrace("1h")
	rotated := must(api.APIKeysAPI.RotateKey(manager, key.Id).SecretRotation(*rotation).Execute())
	check(rotated.GetKey() != key.GetKey() && len(rotated.Values) == 2, "the key is not rotated")
	rotatedClient := must(api.ClientsAPI.RotateClientSecret(manager, client.Id).Execute())

	// Verify: valid and refused.
	question := sealwright.NewVerification(sealwright.PRODUCTION, rotated.GetKey())
	question.SetScopes([]string{"orders:read"})
	verdict := must(api.APIKeysAPI.VerifyKey(manager).Verification(*question).Execute())
	check(verdict.Valid && verdict.Code == sealwright.VERIFICATION_CODE_VALID, "the key is not valid")
	check(verdict.GetId() == key.Id && slices.Equal(verdict.Scopes, []string{"orders:read"}), "it is another key")
	question.SetKey("nonsense")
	verdict = must(api.APIKeysAPI.VerifyKey(manager).Verification(*question).Execute())
	check(!verdict.Valid && !verdict.HasId(), "nonsense is a key")
	check(verdict.Code == sealwright.VERIFICATION_CODE_NOT_FOUND, "nonsense is refused for another reason")

	// Tokens: create, introspect.
	basic := sealwright.BasicAuth{UserName: client.Id, Password: rotatedClient.GetClientSecret()}
	asClient := context.WithValue(context.Background(), sealwright.ContextBasicAuth, basic)
	token := must(api.TokensAPI.CreateToken(asClient).GrantType("client_credentials").Scope("orders:read").Execute())
	check(token.TokenType == "Bearer" && token.ExpiresIn == 3600, "the token is odd")
	introspection := must(api.TokensAPI.IntrospectToken(asClient).Token(token.AccessToken).Execute())
	check(introspection.Active && introspection.GetClientId() == client.Id, "the token is not active")
	introspection = must(api.TokensAPI.IntrospectToken(asClient).Token("nonsense").Execute())
	check(!introspection.Active && !introspection.HasScope(), "nonsense is an active token")

	// A refusal is a problem with a code.
	missing := "cli_00000000000000000000000000000000"
	_, response, err := api.ClientsAPI.GetClient(manager, missing).Execute()
	check(err != nil && response.StatusCode == 404, "a client that does not exist was shown")
	var refused *sealwright.GenericOpenAPIError
	check(errors.As(err, &refused), "the refusal cannot be read")
	problem, isProblem := refused.Model().(sealwright.Problem)
	check(isProblem && problem.Code == sealwright.PROBLEM_CODE_NOT_FOUND, "the refusal is no problem")
}
