-- Asks Sealwright about a request, for LuaHookAccessChecker of Apache. sealwright.conf says which scope a route needs.

local socket = require "socket"

-- CHANGE: where Sealwright listens.
local HOST, PORT = "127.0.0.1", 8080
-- CHANGE: `environment`; add `&audience=…` to accept only tokens for this API.
local QUESTION = "/api/v1/forward-auth?environment=production&scope="
-- A request that waits longer than this is refused with 503, as if Sealwright were down. In seconds.
local TO_CONNECT, TO_RESPOND = 2, 5

local IDENTITY = {
    "X-Auth-Subject", "X-Auth-Credential", "X-Auth-Type", "X-Auth-Scopes", "X-Auth-Customer", "X-Auth-Environment",
}
local ACTIONS = { GET = "read", HEAD = "read", OPTIONS = "read", DELETE = "delete" }
-- What else only gateways may send. `Connection: X-Auth-Subject` would make Apache remove the real header just before
-- the API; without this header there are no WebSocket upgrades.
local REMOVED = {
    ["connection"] = true, ["upgrade"] = true, ["forwarded"] = true, ["x-real-ip"] = true, ["x-request-id"] = true,
    -- The credential stays at the gateway. To pass it on, remove this line.
    ["authorization"] = true, ["x-api-key"] = true,
}

-- Whether the API must not get this header from a caller, however it is spelled. Many APIs read X_Auth_Subject and
-- X-Auth-Subject as the same header: none with an underscore passes.
local function is_removed(name)
    name = name:lower()
    return REMOVED[name] or name:find("_", 1, true) or name:find("^x%-auth%-") or name:find("^x%-forwarded%-")
        or name:find("^x%-original%-")
end

-- Sends a request, and returns status, header fields and body of the response; nothing if there is none in time.
local function exchange(request)
    local deadline = socket.gettime() + TO_RESPOND
    local connection = socket.tcp()
    connection:settimeout(TO_CONNECT)
    local status, headers, body = nil, {}, ""
    local function receive(what)
        connection:settimeout(math.max(deadline - socket.gettime(), 0.001))
        return connection:receive(what)
    end
    if connection:connect(HOST, PORT) and connection:send(request) then
        status = tonumber((receive("*l") or ""):match("^HTTP/1%.[01] (%d%d%d) "))
        local line = receive("*l")
        while line and line ~= "" do
            local name, value = line:match("^([^:%s]+):%s*(.-)%s*$")
            if name then
                headers[name:lower()] = value
            end
            line = receive("*l")
        end
        local length = tonumber(headers["content-length"])
        if not line then
            status = nil
        elseif length and length > 0 and length <= 65536 then
            body = receive(length) or ""
        end
    end
    connection:close()
    return status, headers, body
end

local function ask(r, scope)
    local action = ACTIONS[r.method] or "write"
    -- Sealwright gets what is named here, and nothing else that the caller sent: no body, no cookies.
    local lines = { "GET " .. QUESTION .. scope:gsub("by%-method$", action) .. " HTTP/1.1" }
    local function add(name, value)
        if value then
            table.insert(lines, name .. ": " .. value)
        end
    end
    add("Host", HOST .. ":" .. PORT)
    add("Connection", "close")
    add("X-API-Key", r.headers_in["X-API-Key"])
    add("Authorization", r.headers_in["Authorization"])
    add("User-Agent", r.headers_in["User-Agent"])
    add("X-Forwarded-For", r.useragent_ip)
    add("X-Forwarded-Proto", r.is_https and "https" or "http")
    add("X-Forwarded-Method", r.method)
    add("X-Forwarded-Uri", r.unparsed_uri)
    return exchange(table.concat(lines, "\r\n") .. "\r\n\r\n")
end

-- Responds instead of the API.
local function respond(r, status, headers, body)
    for name, value in pairs(headers) do
        r.err_headers_out[name] = value
    end
    r.status = status
    r.content_type = "application/problem+json"
    r:write(body)
    return apache2.DONE
end

local function problem(status, title, code, detail)
    local form = '{"type":"about:blank","title":"%s","status":%d,"code":"%s","detail":"%s"}\n'
    return form:format(title, status, code, detail)
end

local REFUSALS = { [401] = true, [403] = true, [429] = true, [503] = true }
local PASSED_ON =
    { "Cache-Control", "WWW-Authenticate", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id" }

-- Sealwright's refusals reach the caller as they are. Any other response is a fault: the request does not pass.
local function refuse(r, status, headers, body)
    if not REFUSALS[status] or body == "" then
        local detail = "The credential cannot be checked at the moment."
        local text = problem(503, "Service Unavailable", "unavailable", detail)
        return respond(r, 503, { ["Cache-Control"] = "no-store", ["Retry-After"] = "5" }, text)
    end
    local passed_on = {}
    for _, name in ipairs(PASSED_ON) do
        passed_on[name] = headers[name:lower()]
    end
    return respond(r, status, passed_on, body)
end

-- The API gets what the caller sent, without what only gateways may send.
local function clean(r)
    for name in pairs(r:headers_in_table()) do
        if is_removed(name) then
            r.headers_in[name] = nil
        end
    end
    r.headers_in["X-Forwarded-For"] = r.useragent_ip
    r.headers_in["X-Forwarded-Host"] = r.hostname
    r.headers_in["X-Forwarded-Proto"] = r.is_https and "https" or "http"
end

function check(r)
    local scope = r.subprocess_env["sealwright_scope"]
    if not scope then
        -- No route, or the page below: Apache decides.
        if not r.is_initial_req then
            r.subprocess_env["sealwright_allowed"] = "yes"
        end
        return apache2.OK
    end
    if scope == "none" then
        clean(r)
    else
        local status, headers, body = ask(r, scope)
        local credential = headers["x-auth-credential"] or ""
        -- The request is allowed if the response is a 200 that names a credential; another 2xx, or a 200 of another
        -- program on Sealwright's port, does not count.
        if status ~= 200 or not (credential:find("^key_.") or credential:find("^cli_.")) then
            return refuse(r, status, headers, body)
        end
        clean(r)
        -- The API must always get all six, so that it can tell "no customer" from "no gateway".
        for _, name in ipairs(IDENTITY) do
            r.headers_in[name] = headers[name:lower()] or ""
        end
        r.headers_in["X-Request-Id"] = headers["x-request-id"]
        -- The rate limit status, on allowed requests too.
        for _, name in ipairs({ "RateLimit", "RateLimit-Policy" }) do
            r.err_headers_out[name] = headers[name:lower()]
        end
    end
    r.subprocess_env["sealwright_allowed"] = "yes"
    return apache2.OK
end

function api_is_down(r)
    r.status = 502
    r.content_type = "application/problem+json"
    r.headers_out["Cache-Control"] = "no-store"
    r:write(problem(502, "Bad Gateway", "bad_gateway", "The API does not respond."))
    return apache2.OK
end
