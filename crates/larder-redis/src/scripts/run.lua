-- Whether the first parameters are lower: by version, then shards, then encoding, then slots.
local function lower(one, other)
  local ones, others = {struct.unpack('<I4I4I4I4', one)}, {struct.unpack('<I4I4I4I4', other)}
  for i = 1, 4 do
    if ones[i] ~= others[i] then return ones[i] < others[i] end
  end
  return false
end

-- As live, for verbs that must not trust the connection: it can outlive the server behind it.
local function same_run()
  live()
  -- Found as it is: a pattern would be tried at each byte.
  if run and not string.find(call('INFO', 'replication'), 'master_replid:' .. run, 1, true) then
    begin(lower(theirs, OURS) and OURS or theirs)
  end
end
