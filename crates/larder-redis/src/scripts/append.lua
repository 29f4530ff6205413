call('DEL', NONE)
same_run()
-- Nobody would know which entry a key of another form is: told so, the caller names the key's cache.
if theirs ~= OURS and #KEYS > 4 then return {'outranked'} end
append(5, 5)
return {epoch, head}
