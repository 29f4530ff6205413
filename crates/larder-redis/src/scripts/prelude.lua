-- What every verb begins with. KEYS: meta, tag table, log, a key that never exists; then the
-- verb's own. ARGV: a random epoch to begin if needed, the caller's parameters (version, shards,
-- encoding and tag slots, packed: every argument and every field costs), the channel, how many
-- records the log keeps; then the verb's own from 5 on. Functions cost too, each time a script
-- runs: a verb takes only the parts that it needs.
local META, TABLE, LOG, NONE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local OURS, CHANNEL, LOG_RECORDS_MAX = ARGV[2], ARGV[3], ARGV[4]
local HARD, SOFT, KEY = 104, 115, 107
local call, sub = redis.call, string.sub

-- No position in the tag table is above `raised`.
local epoch, head, barrier, raised, slots, theirs, run

-- Meta and tag table carry one epoch; the log starts empty. Values and leases stay: their epoch
-- tells that they are worth nothing. The DEL comes first, so that a full server lets it through.
-- A server begins another run when it starts and when it is promoted, and has another replication
-- id then. The id of its process stays when it was demoted, could not follow and is promoted again:
-- with what it had before.
local function begin(parameters)
  call('DEL', LOG, TABLE, META)
  epoch, head, barrier, raised, theirs = ARGV[1], 0, 0, 0, parameters
  slots = struct.unpack('<I4', parameters, 13)
  run = string.match(call('INFO', 'replication'), 'master_replid:(%w+)')
  call('HSET', META, 'e', epoch, 'h', 0, 'b', 0, 'w', 0, 'r', run, 'q', parameters)
  call('SETRANGE', TABLE, 16 + 32 * (slots + slots / 16) - 1, '\0')
  call('SETRANGE', TABLE, 0, epoch)
end

-- Makes sure that there is an epoch, and that the tag table is of it. Builds that do not count what they
-- write into the table know the parameters by another name: they begin an epoch of their own.
local function live()
  local meta = call('HMGET', META, 'e', 'h', 'b', 'w', 'r', 'q')
  if not meta[1] or not meta[6] or call('GETRANGE', TABLE, 0, 15) ~= meta[1] then
    return begin(OURS)
  end
  epoch, head, barrier, raised = meta[1], tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4])
  run, theirs, slots = meta[5], meta[6], struct.unpack('<I4', meta[6], 13)
end
