local known, from, records_max = ARGV[5], tonumber(ARGV[6]), ARGV[7]
-- A write, so that only a primary that takes writes confirms anything.
call('DEL', NONE)
same_run()
-- The caller has applied more than there is: records were lost.
if known == epoch and head < from then begin(theirs) end
local records, missing = {}, known ~= epoch
if not missing and head > from then
  local found = call('XRANGE', LOG, string.format('%.0f-0', from + 1), '+', 'COUNT', records_max)
  for i, entry in ipairs(found) do
    if entry[1] ~= string.format('%.0f-0', from + i) then break end
    records[i] = entry[2][2]
  end
  missing = #records == 0
end
local time = call('TIME')
return {epoch, head, time[1], time[2], missing and call('GET', TABLE) or false, records, theirs}
