local function flag_soft(value)
  local flags = call('GETRANGE', value, 3, 3)
  if #flags == 0 then return false end
  call('SETRANGE', value, 3, string.char(bit.bor(string.byte(flags), 1)))
  return true
end
