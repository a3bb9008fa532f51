-- Verifications of unknown keys as VERIFIER, for wrk. Each key is different, and every second one has the right
-- checksum, so that it is looked up. Prints one line at the end, as token.lua does.

local bit = require("bit")
local digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
local starts = 0

function setup(thread)
   thread:set("start", starts)
   starts = starts + 1
end

function init()
   crc = {}
   for byte = 0, 255 do
      local value = byte
      for _ = 1, 8 do
         local odd = bit.band(value, 1) == 1
         value = bit.rshift(value, 1)
         if odd then value = bit.bxor(value, 0xEDB88320) end
      end
      crc[byte] = value
   end
   number = 0
   -- Different in each run, so that none was seen before.
   run = string.format("%06d", os.time() % 1000000)
   headers = { ["Content-Type"] = "application/json", ["X-API-Key"] = os.getenv("VERIFIER") }
end

local function checksum(text)
   local value = -1
   for at = 1, #text do
      value = bit.bxor(bit.rshift(value, 8), crc[bit.band(bit.bxor(value, text:byte(at)), 255)])
   end
   value = bit.bnot(value) % 4294967296
   local out = ""
   for _ = 1, 6 do
      local digit = value % 62
      out = digits:sub(digit + 1, digit + 1) .. out
      value = (value - digit) / 62
   end
   return out
end

function request()
   number = number + 1
   local random = string.format("%s%02d%024d", run, start, number)
   local sum = number % 2 == 0 and checksum(random) or "zzzzzz"
   local body = '{"key":"sw_live_' .. random .. sum .. '","environment":"production"}'
   return wrk.format("POST", "/api/v1/keys/verify", headers, body)
end

function done(summary, latency)
   local errors = summary.errors
   print(string.format("RESULT %d %d %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50),
      latency:percentile(99), latency.max, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
