-- Token requests for wrk, with the clients of the file CLIENTS (lines of id and secret) in rotation.
-- Prints one line at the end: requests, microseconds, p50, p99 and longest in microseconds, refused, failed.

local starts = 0

function setup(thread)
   thread:set("start", starts)
   starts = starts + 1
end

function init()
   requests = {}
   for line in io.lines(os.getenv("CLIENTS")) do
      local id, secret = line:match("^(%S+) (%S+)$")
      local body = "grant_type=client_credentials&client_id=" .. id .. "&client_secret=" .. secret
         .. "&scope=orders%3Aread+orders%3Awrite"
      local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
      requests[#requests + 1] = wrk.format("POST", "/api/oauth/token", headers, body)
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
