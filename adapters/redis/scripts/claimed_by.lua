-- ARGV: node. Answers its claimed commands, by id.
local commands = {}
for _, id in ipairs(call('ZRANGE', key('held', ARGV[1]), 0, -1)) do
  table.insert(commands, everything(id))
end
return commands
