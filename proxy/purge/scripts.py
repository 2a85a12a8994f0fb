"""The Lua that keeps the ledger in Redis.

Four keys under one hash tag:

- ``seq``        ``<epoch>:<n>``, read by every lookup together with its entry
- ``selectors``  a sorted set: ``h<selector>`` and ``s<selector>`` scored with their last hard and soft purge, and
                 ``#<epoch>`` scored with the floor
- ``log``        a stream: id ``<n>-0``, its predecessor, the mode, the selectors as netstrings
- ``replicas``   a hash: who mirrors this ledger, each with the end of its time by this server's clock, for how long it
                 trusts its mirror, and the position up to which it has taken purges over; ``#since``: how old the list is

A sorted set and not a hash, because forgetting the oldest must not read everything. The floor lies in the same key as
the marks that it stands for, so no eviction can take one and leave the other: without the ``#<epoch>`` member the
ledger is lost. A lost ledger gets a new epoch, which purges everything before it. Numbers stay below 2^53: exact as
Lua's doubles and as scores.

An epoch is one server's: it ends in eight letters of the server's run id. Who was promoted, or came back from its own
disk, may lack the last purges, and nobody can be asked which: who took them may be gone too. A failover therefore
costs a cold cache, never a stale answer. Where a server may not be asked who it is (ACL), live mirrors tell it what it
has lost.

``allow-oom``: a full Redis must still take purges. Redis 7 or Valkey.
"""

from __future__ import annotations

from typing import Final

from proxy.backplane.scripts import Script

_OPEN: Final = b"""#!lua flags=allow-oom
local SEQ, SELECTORS, LOG, REPLICAS, FRESH = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]
local function text(n) return string.format('%.0f', n) end
local function is(key, kind) return redis.call('TYPE', key).ok == kind end
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local function server()
  local said = redis.pcall('INFO', 'server')
  return type(said) == 'string' and string.match(said, 'run_id:(%w%w%w%w%w%w%w%w)') or 'unknown'
end
local function open()
  local here = server()
  if is(SEQ, 'string') and is(SELECTORS, 'zset') then
    local epoch, n = string.match(redis.call('GET', SEQ), '^(.+):(%d+)$')
    if epoch and string.match(epoch, '[^.]*$') == here and redis.call('ZSCORE', SELECTORS, '#' .. epoch) then
      if not is(LOG, 'stream') and not is(LOG, 'none') then redis.call('DEL', LOG) end
      return epoch, tonumber(n)
    end
  end
  local epoch, n = FRESH .. '.' .. here, clock()
  redis.call('DEL', SEQ, SELECTORS, LOG, REPLICAS)
  redis.call('SET', SEQ, epoch .. ':' .. text(n))
  redis.call('ZADD', SELECTORS, 0, '#' .. epoch)
  return epoch, n
end
local epoch, n = open()
"""

# Who reads the ledger to follow it says who it is in the same call: from then on it may trust what it has read.
# Arguments 2 to 6: its id, the position up to which it has taken purges over, and in microseconds for how long it
# trusts its mirror and for how long this is to be believed; how many replicas are listed. Beyond that many they share
# one entry, which never confirms anything.
_ANNOUNCE: Final = b"""
local id, seen, lag, keep, most = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local now = clock()
if not is(REPLICAS, 'hash') then
  redis.call('DEL', REPLICAS)
  redis.call('HSET', REPLICAS, '#since', text(now))
  redis.call('PEXPIRE', REPLICAS, 1)
end
if redis.call('HEXISTS', REPLICAS, id) == 0 then
  local all = redis.call('HGETALL', REPLICAS)
  for i = 1, #all, 2 do
    if all[i] ~= '#since' and tonumber(string.match(all[i + 1], '^%d+')) < now then
      redis.call('HDEL', REPLICAS, all[i])
    end
  end
  if redis.call('HLEN', REPLICAS) > most then
    id, seen = '+', '-'
    local shared = redis.call('HGET', REPLICAS, id)
    if shared then lag = math.max(lag, tonumber(string.match(shared, '^%d+ (%d+)'))) end
  end
end
redis.call('HSET', REPLICAS, id, text(now + keep) .. ' ' .. text(lag) .. ' ' .. seen)
redis.call('PEXPIRE', REPLICAS, math.ceil(keep / 1000), 'GT')
"""

# Arguments of each: first an epoch for the case that there is none. Replies begin with epoch and n.

POSITION: Final = Script(_OPEN + b"return {epoch, text(n)}")

SNAPSHOT: Final = Script(
    _OPEN + _ANNOUNCE + b"return {epoch, text(n), redis.call('ZRANGE', SELECTORS, 0, -1, 'WITHSCORES')}"
)

# Argument 7: the position from which on the log is wanted.
TAIL: Final = Script(
    _OPEN + _ANNOUNCE + b"return {epoch, text(n), redis.call('XRANGE', LOG, '(' .. ARGV[7] .. '-0', '+')}"
)

REPLICAS: Final = Script(
    _OPEN + b"return {epoch, text(n), text(clock()), is(REPLICAS, 'hash') and redis.call('HGETALL', REPLICAS) or {}}"
)

# Arguments: mode (h or s), the highest position that the caller knows of, how many marks are kept, how long the log is,
# how many selectors a logged purge may have, for how many microseconds a mark is kept, then the selectors. A purge that is not logged breaks the chain of predecessors: mirrors read everything again. The reply goes on with the position before,
# and that of the last purge, or of the floor, that a lone selector had before; 0 where there are several.
PURGE: Final = Script(
    _OPEN
    + b"""
local mode, seen, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local length, logged, kept, first = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), 8
local before, last = n, 0
-- How late the purges are that may hit what is handed over together with the purge of its one selector.
if #ARGV == first then
  for _, kind in ipairs({'h', 's'}) do
    last = math.max(last, tonumber(redis.call('ZSCORE', SELECTORS, kind .. ARGV[first]) or 0))
  end
  last = math.max(last, tonumber(redis.call('ZSCORE', SELECTORS, '#' .. epoch)))
end
n = math.max(n + 1, seen + 1, clock())
local names = {}
for i = first, #ARGV do
  redis.call('ZADD', SELECTORS, text(n), mode .. ARGV[i])
  if #ARGV - first < logged then names[#names + 1] = string.len(ARGV[i]) .. ':' .. ARGV[i] end
end
-- The floor, of rank 0, is counted with the marks that are too old, and is not one of them.
local old = redis.call('ZCOUNT', SELECTORS, '-inf', '(' .. text(n - kept)) - 1
local over = math.max(old, redis.call('ZCARD', SELECTORS) - 1 - most)
if over > 0 then
  local newest = redis.call('ZRANGE', SELECTORS, over, over, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', SELECTORS, 1, over)
  redis.call('ZADD', SELECTORS, newest[2], '#' .. epoch)
end
if #names > 0 then
  if #names > 256 then length = math.ceil(length * 256 / #names) end  -- large purges, few of them
  redis.call('XADD', LOG, 'MAXLEN', '~', length, text(n) .. '-0',
    'before', text(before), 'mode', mode, 'selectors', table.concat(names))
end
redis.call('SET', SEQ, epoch .. ':' .. text(n))
return {epoch, text(n), text(before), text(last)}
"""
)
