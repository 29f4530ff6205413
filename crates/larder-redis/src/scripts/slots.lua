-- Where the two slots of a hash lie in the table. Root and caches have slots of their own.
local function places(row0, row1, wide)
  local own = slots / 16
  if wide then
    return 16 + 16 * (row0 % own), 16 + 16 * (own + slots + row1 % own)
  end
  return 16 + 16 * (own + row0 % slots), 16 + 16 * (own + slots + own + row1 % slots)
end
