import { expect, test } from 'bun:test'
import { Speed } from './speed.ts'

test('an unmeasured channel is looked at by one call at a time, and again when its measure is a minute old', () => {
  const speed = new Speed()
  expect(speed.expectedMs(0)).toBe(0)
  speed.begin(0)
  expect(speed.expectedMs(10)).toBe(Infinity)
  speed.first(400, 10, true)
  expect(speed.expectedMs(20)).toBe(400)
  expect(speed.expectedMs(60_010)).toBe(0)
  speed.begin(60_010)
  expect(speed.expectedMs(60_020)).toBe(400)
})

test('a slow writer is expected later than a slow starter that writes fast; a word of ten tokens measures nothing', () => {
  const [writer, starter] = [new Speed(), new Speed()]
  for (const [speed, firstMs, tokens, ms] of [
    [writer, 100, 200, 10_000],
    [starter, 900, 200, 1_000],
  ] as const) {
    speed.first(firstMs, 0, true)
    speed.rest(tokens, ms)
    speed.rest(10, 60_000)
  }
  expect(writer.expectedMs(0)).toBe(10_100)
  expect(starter.expectedMs(0)).toBe(1_900)
})

test('the time of a whole answer stands for a first token only until a stream was measured', () => {
  const speed = new Speed()
  speed.first(8_000, 0, false)
  expect(speed.firstTokenMs).toBe(8_000)
  speed.first(300, 0, true)
  expect(speed.firstTokenMs).toBe(300)
  speed.first(8_000, 0, false)
  expect(speed.firstTokenMs).toBe(300)
})
