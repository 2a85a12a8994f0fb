"""The Lua that keeps the ledger in Redis.

Three keys under one hash tag:

- ``seq``        ``<epoch>:<n>``, read by every lookup together with its entry
- ``selectors``  a sorted set: ``h<selector>`` and ``s<selector>`` scored with their last hard and soft purge, and
                 ``#<epoch>`` scored with the floor
- ``log``        a stream: id ``<n>-0``, its predecessor, the mode, the selectors as netstrings

A sorted set and not a hash, because forgetting the oldest must not read everything. The floor lies in the same key as
the marks that it stands for, so no eviction can take one and leave the other: without the ``#<epoch>`` member the
ledger is lost. A lost ledger gets a new epoch, which purges everything before it. Numbers stay below 2^53: exact as
Lua's doubles and as scores.

``allow-oom``: a full Redis must still take purges. Redis 7 or Valkey.
"""

from __future__ import annotations

from typing import Final

from proxy.backplane.scripts import Script

_OPEN: Final = b"""#!lua flags=allow-oom
local SEQ, SELECTORS, LOG, FRESH = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local function text(n) return string.format('%.0f', n) end
local function is(key, kind) return redis.call('TYPE', key).ok == kind end
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local function open()
  if is(SEQ, 'string') and is(SELECTORS, 'zset') then
    local epoch, n = string.match(redis.call('GET', SEQ), '^(.+):(%d+)$')
    if epoch and redis.call('ZSCORE', SELECTORS, '#' .. epoch) then
      if not is(LOG, 'stream') and not is(LOG, 'none') then redis.call('DEL', LOG) end
      return epoch, tonumber(n)
    end
  end
  local n = clock()
  redis.call('DEL', SEQ, SELECTORS, LOG)
  redis.call('SET', SEQ, FRESH .. ':' .. text(n))
  redis.call('ZADD', SELECTORS, 0, '#' .. FRESH)
  return FRESH, n
end
local epoch, n = open()
"""

# Arguments of each: first an epoch for the case that there is none. Replies begin with epoch and n.

POSITION: Final = Script(_OPEN + b"return {epoch, text(n)}")

SNAPSHOT: Final = Script(_OPEN + b"return {epoch, text(n), redis.call('ZRANGE', SELECTORS, 0, -1, 'WITHSCORES')}")

# Argument 2: the position from which on the log is wanted.
TAIL: Final = Script(_OPEN + b"return {epoch, text(n), redis.call('XRANGE', LOG, '(' .. ARGV[2] .. '-0', '+')}")

# Arguments: mode (h or s), the highest position that the caller knows of, how many marks are kept, how long the log is, how many selectors a logged purge may have,
# then the selectors. A purge that is not logged breaks the chain of predecessors: mirrors read everything again.
PURGE: Final = Script(
    _OPEN
    + b"""
local mode, seen, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local length, logged, first = tonumber(ARGV[5]), tonumber(ARGV[6]), 7
local before = n
n = math.max(n + 1, seen + 1, clock())
local names = {}
for i = first, #ARGV do
  redis.call('ZADD', SELECTORS, text(n), mode .. ARGV[i])
  if #ARGV - first < logged then names[#names + 1] = string.len(ARGV[i]) .. ':' .. ARGV[i] end
end
local over = redis.call('ZCARD', SELECTORS) - 1 - most
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
return {epoch, text(n), text(before)}
"""
)
