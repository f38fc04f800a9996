import { residentMb } from './measure.ts'
import type { Figure } from './pairs.ts'
import { cpuPer, load, peakMb, type Target } from './processes.ts'

const KIB = 1_024
const MIB = KIB * KIB
/** Long prompts that are open at the same time. */
const OPEN = 40

/** P13: how cost grows with the size of a prompt and of an answer. */
export async function longPrompts(target: Target): Promise<Figure[]> {
  const whole = (bytes: number, requests: number) => ['closed', target.url, target.key, 'fast', 0, 4, requests, bytes]
  await load(whole(MIB, 100))
  const small = await cpuPer(target, 'requests', whole(64 * KIB, 1_000))
  const large = await cpuPer(target, 'requests', whole(MIB, 200))
  const answer = (chunks: number, requests: number) => ['closed', target.url, target.key, `chunks-${chunks}`, 1, 1, requests]
  await load(answer(2_000, 20))
  const short = await cpuPer(target, 'chunks', answer(2_000, 50))
  const long = await cpuPer(target, 'chunks', answer(128_000, 3))
  const before = residentMb(target.pid ?? 0)
  const { peak } = await peakMb(target, ['hold', target.url, target.key, 'paced', OPEN, 5, MIB])
  return [
    {
      id: 'P13',
      what: 'CPU per whole answer to a prompt of 64 KiB and of 1 MiB',
      goal: 'linear',
      value: `${(small.cpu / 1000).toFixed(2)} ms, ${(large.cpu / 1000).toFixed(2)} ms`,
    },
    {
      id: 'P13',
      what: 'CPU per chunk of an answer of 2,000 and of 128,000',
      goal: 'linear',
      value: `${short.cpu.toFixed(2)} us, ${long.cpu.toFixed(2)} us`,
    },
    {
      id: 'P13',
      what: `memory per open stream with a prompt of 1 MiB, ${OPEN} open`,
      goal: '<= 3 MiB',
      value: `${((peak - before) / OPEN).toFixed(1)} MB`,
    },
  ]
}
