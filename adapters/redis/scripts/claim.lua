-- ARGV: node, now, how many short questions, how much work. Answers the commands, of each lane the oldest first.
local node, now, short, work = unpack(ARGV)
local claimed = {}

local function claim(lane, limit)
  local queue, at_once, from, left = key('waiting', node, lane), 100, 0, tonumber(limit)
  while left > 0 do
    local ids = call('ZRANGE', queue, from, from + at_once - 1)
    local passed_over = #ids
    for _, id in ipairs(ids) do
      local not_before, expires_at = fields(id, 'not_before', 'expires_at')
      if tonumber(not_before) <= tonumber(now) and not (expires_at and tonumber(expires_at) <= tonumber(now)) then
        out_of_waiting(id, node, lane)
        passed_over = passed_over - 1
        call('HSET', key('command', id), 'state', 'claimed', 'claimed_at', now, 'acknowledged', '0')
        call('HINCRBY', key('command', id), 'lease', 1)
        call('HDEL', key('command', id), 'seen_at')
        call('ZADD', key('claimed'), now, id)
        call('ZADD', key('held', node), id, id)
        table.insert(claimed, everything(id))
        left = left - 1
        if left == 0 then
          return
        end
      end
    end
    if #ids < at_once then
      return
    end
    from = from + passed_over
  end
end

claim('short', short)
claim('work', work)
return claimed
