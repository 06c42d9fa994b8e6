-- ARGV: subject. Answers its command, or nothing.
local id = call('GET', key('subject', ARGV[1]))
return id and everything(id) or {}
