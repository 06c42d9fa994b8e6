-- ARGV: silent_since, now, limit. Answers the commands that were ended.
local silent_since, now, limit = unpack(ARGV)
local expired = call('ZRANGEBYSCORE', key('claimed'), '-inf', '(' .. silent_since, 'LIMIT', 0, limit)
local waited = call('ZRANGEBYSCORE', key('expiring'), '-inf', now, 'LIMIT', 0, tonumber(limit) - #expired)
for _, id in ipairs(waited) do
  table.insert(expired, id)
end
local commands = {}
for _, id in ipairs(expired) do
  to_its_end(id, 'timeout', now)
  table.insert(commands, everything(id))
end
return commands
