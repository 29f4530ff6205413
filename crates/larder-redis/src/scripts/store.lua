local function positions(place)
  return struct.unpack('<I8I8', call('GETRANGE', TABLE, place, place + 15))
end

-- Whether a tag of an entry has a hard position, or with `soft_too` any, above this one.
local function named_since(as_of, tags, soft_too)
  -- The usual case: no name of many since, so none of these.
  if raised <= as_of then return false end
  for at = 1, #tags, 8 do
    local row0, row1 = struct.unpack('<I4I4', tags, at)
    -- The first two are the root and the cache.
    local first, second = places(row0, row1, at < 16)
    local hard, soft = positions(first)
    local hard_too, soft_also = positions(second)
    if math.min(hard, hard_too) > as_of then return true end
    if soft_too and math.min(soft, soft_also) > as_of then return true end
  end
  return false
end

local function is_over(expires_at)
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) >= tonumber(expires_at)
end

-- Whether an entry may be stored that was loaded under this lease: nothing named it since.
local function allowed(held, entry, expires_at, tags, soft_too)
  if not held or theirs ~= OURS or held.epoch ~= epoch or sub(entry, 21, 36) ~= epoch then return false end
  local as_of = held.as_of
  if struct.unpack('<I8', entry, 37) ~= as_of or barrier > as_of then return false end
  if #tags > 8 * 66 or is_over(expires_at) then return false end
  return not named_since(as_of, tags, soft_too)
end
