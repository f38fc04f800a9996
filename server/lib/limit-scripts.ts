import { RedisScript } from './redis.ts'

/**
 * Takes from every bucket, or from none, in one step. A window is a hash of counts by second, in the server's own time; a gauge
 * is a hash of each process's own number with the time until which that is believed, so that a process that died counts no more.
 * KEYS: the buckets. ARGV: this process, seconds a gauge lives, then kind (w, g), limit and weight of each bucket.
 * Answers: which bucket refused (0: none), seconds to wait, the second it was counted in, then what is used of each.
 */
export const TAKE = new RedisScript(`
local now = tonumber(redis.call('TIME')[1])
local process, life = ARGV[1], tonumber(ARGV[2])
local refused, wait, used, own = 0, 0, {}, {}
for i, key in ipairs(KEYS) do
  local kind, limit, weight = ARGV[i * 3], tonumber(ARGV[i * 3 + 1]), tonumber(ARGV[i * 3 + 2])
  local fields = redis.call('HGETALL', key)
  local sum, by = 0, {}
  own[i] = 0
  for j = 1, #fields, 2 do
    if kind == 'g' then
      local count, believed = string.match(fields[j + 1], '^(%d+) (%d+)$')
      if tonumber(believed) < now then redis.call('HDEL', key, fields[j])
      else
        sum = sum + tonumber(count)
        if fields[j] == process then own[i] = tonumber(count) end
      end
    else
      local second, count = tonumber(fields[j]), tonumber(fields[j + 1])
      if second <= now - 60 then redis.call('HDEL', key, fields[j])
      else
        sum = sum + count
        by[second] = count
      end
    end
  end
  if sum + weight > limit then
    local after = 1
    if kind == 'w' then
      local left = sum
      for second = now - 59, now do
        left = left - (by[second] or 0)
        after = second + 60 - now
        if left + weight <= limit then break end
      end
    end
    used[i] = sum
    if refused == 0 or after > wait then refused, wait = i, after end
  else
    used[i] = sum + weight
  end
end
if refused == 0 then
  for i, key in ipairs(KEYS) do
    if ARGV[i * 3] == 'g' then
      redis.call('HSET', key, process, (own[i] + tonumber(ARGV[i * 3 + 2])) .. ' ' .. (now + life))
      redis.call('EXPIRE', key, life)
    else
      redis.call('HINCRBY', key, now, ARGV[i * 3 + 2])
      redis.call('EXPIRE', key, 61)
    end
  end
end
local answer = {refused, wait, now}
for i = 1, #KEYS do answer[i + 3] = used[i] end
return answer
`)

/**
 * Corrects what was taken. KEYS: the buckets. ARGV: this process, seconds a gauge lives, then kind, value and second of each:
 * a gauge (g) is set to what this process has of it, or (r) so many of this process's are given back; a window (w) grows now,
 * or shrinks in the second it was counted in.
 */
export const CORRECT = new RedisScript(`
local now = tonumber(redis.call('TIME')[1])
for i, key in ipairs(KEYS) do
  local kind, value, second = ARGV[i * 3], tonumber(ARGV[i * 3 + 1]), ARGV[i * 3 + 2]
  if kind == 'g' or kind == 'r' then
    if kind == 'r' then
      local count = string.match(redis.call('HGET', key, ARGV[1]) or '', '^(%d+) ')
      value = tonumber(count or 0) - value
    end
    if value <= 0 then redis.call('HDEL', key, ARGV[1])
    else
      redis.call('HSET', key, ARGV[1], value .. ' ' .. (now + tonumber(ARGV[2])))
      redis.call('EXPIRE', key, ARGV[2])
    end
  elseif value > 0 then
    redis.call('HINCRBY', key, now, value)
    redis.call('EXPIRE', key, 61)
  elseif redis.call('HEXISTS', key, second) == 1 and redis.call('HINCRBY', key, second, value) <= 0 then
    redis.call('HDEL', key, second)
  end
end
return 0
`)
