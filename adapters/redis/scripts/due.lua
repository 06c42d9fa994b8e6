-- ARGV: now, after, limit. Answers nodes behind `after` that have something to claim, by id.
-- The time in `due` is that of a lane's earliest command since it was last empty, so a lane may be named too early, never too late.
local now, after, limit = unpack(ARGV)
local nodes, last = {}, nil
for _, waiting in ipairs(call('ZRANGEBYSCORE', key('due'), '-inf', now)) do
  local node = tonumber(string.match(waiting, '^%S+'))
  if node > tonumber(after) then
    table.insert(nodes, node)
  end
end
table.sort(nodes)
local due = {}
for _, node in ipairs(nodes) do
  if #due == tonumber(limit) then
    break
  end
  if node ~= last then
    table.insert(due, node)
  end
  last = node
end
return due
