-- ARGV: pairs of node and time. Answers the nodes that were not noted as online before.
local returned = {}
for i = 1, #ARGV, 2 do
  local node, now = ARGV[i], ARGV[i + 1]
  local last = call('HGET', key('heard'), node)
  if not (last and tonumber(last) > tonumber(now)) then
    if not call('ZSCORE', key('online'), node) then
      table.insert(returned, node)
    end
    call('HSET', key('heard'), node, now)
    call('ZADD', key('online'), now, node)
  end
end
return returned
