-- Requests with API keys for wrk, with the keys of the file KEYS in rotation: verify as VERIFIER, or forward-auth if
-- VERIFIER is not set. Prints one line at the end, as token.lua does.

local starts = 0

function setup(thread)
   thread:set("start", starts)
   starts = starts + 1
end

function init()
   local verifier = os.getenv("VERIFIER")
   requests = {}
   for key in io.lines(os.getenv("KEYS")) do
      if verifier then
         local body = '{"key":"' .. key .. '","environment":"production","scopes":["orders:read"],"ip":"203.0.113.7"}'
         local headers = { ["Content-Type"] = "application/json", ["X-API-Key"] = verifier }
         requests[#requests + 1] = wrk.format("POST", "/api/v1/keys/verify", headers, body)
      else
         requests[#requests + 1] = wrk.format("GET", "/api/v1/forward-auth?scope=orders:read", { ["X-API-Key"] = key })
      end
   end
   next_one = start * 7
end

function request()
   next_one = next_one + 1
   return requests[next_one % #requests + 1]
end

function done(summary, latency)
   local errors = summary.errors
   print(string.format("RESULT %d %d %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50),
      latency:percentile(99), latency.max, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
