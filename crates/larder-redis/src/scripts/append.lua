call('DEL', NONE)
same_run()
append(5, 5)
return {epoch, head}
