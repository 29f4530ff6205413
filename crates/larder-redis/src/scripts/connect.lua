call('DEL', NONE)
same_run()
if lower(theirs, OURS) then begin(OURS) end
local time = call('TIME')
return {epoch, time[1], time[2], theirs}
