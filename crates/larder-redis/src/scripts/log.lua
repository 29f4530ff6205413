-- Counts the changes before it logs them: an abort in between is a gap, which readers notice.
local function log(changes, raise)
  local first = head + 1
  head = head + #changes
  call('HINCRBY', META, 'h', #changes)
  local pushed = {'r', epoch, struct.pack('<I8', first)}
  for i, change in ipairs(changes) do
    local position = first + i - 1
    if raise then raise(change, position) end
    call('XADD', LOG, 'MAXLEN', LOG_RECORDS_MAX, string.format('%.0f-0', position), 'r', change)
    pushed[#pushed + 1] = struct.pack('<I4', #change) .. change
  end
  -- A hint: who misses it asks the log.
  redis.pcall('PUBLISH', CHANNEL, table.concat(pushed))
end
