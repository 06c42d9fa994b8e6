-- ARGV: node. Forgets when it was heard.
call('HDEL', key('heard'), ARGV[1])
call('ZREM', key('online'), ARGV[1])
return 1
