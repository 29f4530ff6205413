-- What every verb begins with. KEYS: meta, tag table, log, a key that never exists; then the
-- verb's own. ARGV: a random epoch to begin if needed, the caller's parameters (version, shards,
-- encoding and tag slots, packed: every argument and every field costs), the channel, how many
-- records the log keeps; then the verb's own from 5 on.
local META, TABLE, LOG, NONE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local OURS, CHANNEL, LOG_RECORDS_MAX = ARGV[2], ARGV[3], ARGV[4]
local HARD, SOFT, KEY = 104, 115, 107
local call, sub = redis.call, string.sub

local epoch, head, barrier, slots, theirs, run

local function decimal(number)
  return string.format('%.0f', number)
end

-- A server begins another run when it starts and when it is promoted, and has another replication id then. The id of its
-- process stays when it was demoted, could not follow and is promoted again: with what it had before.
local function run_id()
  local info = call('INFO', 'replication')
  -- Found first: a pattern would be tried at each byte.
  local _, colon = string.find(info, 'master_replid:', 1, true)
  return colon and string.match(info, '^%w+', colon + 1)
end

local function numbers(parameters)
  return {struct.unpack('<I4I4I4I4', parameters)}
end

-- Meta and tag table carry one epoch; the log starts empty. Values and leases stay: their epoch
-- tells that they are worth nothing. The DEL comes first, so that a full server lets it through.
local function begin(parameters)
  call('DEL', LOG, TABLE, META)
  epoch, head, barrier, slots, theirs = ARGV[1], 0, 0, numbers(parameters)[4], parameters
  call('HSET', META, 'e', epoch, 'h', 0, 'b', 0, 'r', run_id(), 'p', parameters)
  call('SETRANGE', TABLE, 16 + 32 * (slots + slots / 16) - 1, '\0')
  call('SETRANGE', TABLE, 0, epoch)
end

-- Makes sure that there is an epoch, and that the tag table is of it.
local function live()
  local meta = call('HMGET', META, 'e', 'h', 'b', 'r', 'p')
  if not meta[1] or not meta[5] or call('GETRANGE', TABLE, 0, 15) ~= meta[1] then
    return begin(OURS)
  end
  epoch, head, barrier = meta[1], tonumber(meta[2]), tonumber(meta[3])
  run, theirs, slots = meta[4], meta[5], struct.unpack('<I4', meta[5], 13)
end

-- Whether the first parameters are lower: by version, then shards, then encoding, then slots.
local function lower(one, other)
  local ones, others = numbers(one), numbers(other)
  for i = 1, 4 do
    if ones[i] ~= others[i] then return ones[i] < others[i] end
  end
  return false
end

-- Whether the caller has the parameters of the shard. One that has not may append, no more.
local function is_member()
  return theirs == OURS
end

-- As live, for verbs that must not trust the connection: it can outlive the server behind it.
local function same_run()
  live()
  if run and run ~= run_id() then
    begin(lower(theirs, OURS) and OURS or theirs)
  end
end

-- Where the two slots of a hash lie in the table. Root and caches have slots of their own.
local function places(row0, row1, wide)
  local own = slots / 16
  if wide then
    return 16 + 16 * (row0 % own), 16 + 16 * (own + slots + row1 % own)
  end
  return 16 + 16 * (own + row0 % slots), 16 + 16 * (own + slots + own + row1 % slots)
end

local function positions(place)
  return struct.unpack('<I8I8', call('GETRANGE', TABLE, place, place + 15))
end

-- A lease is a string: 16 bytes each of token and epoch, 8 of as_of, and '1' if somebody waits.
local function granted(token, awaited)
  return token .. epoch .. struct.pack('<I8', head) .. awaited
end

-- The lease is over: deletes it and wakes who waits for it.
local function void(lease, awaited)
  if awaited == '1' then
    redis.pcall('PUBLISH', CHANNEL, 'w' .. sub(lease, #META + 2))
  end
  call('DEL', lease)
end

-- Ends the lease if this token holds it, and says of which epoch and position it was.
local function take(lease, token)
  local held = call('GET', lease)
  if not held or sub(held, 1, 16) ~= token then return nil end
  void(lease, sub(held, 41))
  return {epoch = sub(held, 17, 32), as_of = struct.unpack('<I8', held, 33)}
end

local function flag_soft(value)
  local flags = call('GETRANGE', value, 3, 3)
  if #flags == 0 then return false end
  call('SETRANGE', value, 3, string.char(bit.bor(string.byte(flags), 1)))
  return true
end

local function now_ms()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
