-- Raises both slots of a name of many. The position is the largest there is.
local function raise(record, position)
  local kind, mode, row0, row1 = string.byte(record, 2), string.byte(record, 3), struct.unpack('<I4I4', record, 4)
  if kind == KEY then return end
  local skip = mode == SOFT and 8 or 0
  local first, second = places(row0, row1, kind == 114 or kind == 99)
  local packed = struct.pack('<I8', position)
  call('SETRANGE', TABLE, first + skip, packed)
  call('SETRANGE', TABLE, second + skip, packed)
end

-- Appends the records in ARGV from here on. Each key record has its value and its lease in KEYS.
local function append(records_at, keys_at)
  local records, of_many = {}, false
  for i = records_at, #ARGV do
    local record = ARGV[i]
    records[#records + 1] = record
    if string.byte(record, 2) == KEY then
      local value, lease = KEYS[keys_at], KEYS[keys_at + 1]
      keys_at = keys_at + 2
      local awaited = call('GETRANGE', lease, 40, 40)
      if string.byte(record, 3) == HARD then
        call('DEL', lease, value)
      else
        call('DEL', lease)
        flag_soft(value)
      end
      wake(lease, awaited)
    else
      of_many = true
    end
  end
  -- Before the slots: too high after an abort, and never too low.
  if of_many then call('HSET', META, 'w', string.format('%.0f', head + #records)) end
  if #records > 0 then log(records, raise) end
end
