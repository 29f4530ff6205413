local anchored_in, mode = ARGV[5], string.byte(ARGV[6])
call('DEL', NONE)
same_run()
if epoch ~= anchored_in then return false end
local matched = 0
for i = 5, #KEYS do
  local found
  if mode == HARD then found = call('DEL', KEYS[i]) == 1 else found = flag_soft(KEYS[i]) end
  if found then matched = matched + 1 end
end
return matched
