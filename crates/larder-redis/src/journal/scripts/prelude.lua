-- What every verb of a journal begins with. KEYS: who holds the journal, its records, why some of
-- them are parked, a key that never exists. ARGV: the caller's token; then the verb's own from 2 on.
local HELD, RECORDS, PARKED, NONE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local TOKEN = ARGV[1]
local call = redis.call

-- Sequences count microseconds since 1970: exact in a double until the year 2255.
local SEQUENCE_MAX = 9007199254740992

local function decimal(number)
  return string.format('%.0f', number)
end

local function id(sequence)
  return sequence .. '-0'
end

local function now_us()
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

local function lease(now, ttl_ms)
  return decimal(now + ttl_ms * 1000)
end

-- Why the caller may not. Whoever took the journal last has it, also after its lease: nobody came.
local function refusal()
  local held = call('HMGET', HELD, 't', 'n', 'l')
  if held[1] == TOKEN then return nil end
  if not held[3] then return {'gone'} end
  return {'lost', held[2] or ''}
end
