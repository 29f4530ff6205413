local value, lease, token, entry, expires_at, tags = KEYS[5], KEYS[6], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
call('DEL', NONE)
same_run()
local held = take(lease, token)
-- Nothing would flag the entry later, so a soft record since its lease rejects it too. A store
-- without a record would leave older copies alive.
local stored = #ARGV > 11 and allowed(held, entry, expires_at, tags, true)
append(12, 7)
if stored then
  -- The entry is newer than whatever flagged the one that it replaces.
  local as_of = struct.pack('<I8', head) .. struct.pack('>I8', head)
  call('SET', value, sub(entry, 1, 3) .. '\0' .. sub(entry, 5, 36) .. as_of .. sub(entry, 53), 'PXAT', expires_at)
end
return {epoch, head, stored and 1 or 0}
