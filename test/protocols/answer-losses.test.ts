import { describe, expect, test } from 'bun:test'
import { AnswerLosses } from '../../server/relay/protocols/answer-losses.ts'
import type { Block, Event } from '../../server/relay/protocols/canonical.ts'
import { BrokenStream, collect } from '../../server/relay/protocols/collect.ts'
import { protocols } from '../../server/relay/protocols/index.ts'
import type { Frame, StreamCall } from '../../server/relay/protocols/protocol.ts'
import { names, recordedStreams, type ProtocolName } from './recorded.ts'

const CALL: StreamCall = { model: 'house-model', wantsUsage: true, created: 1_795_300_000, id: 'ours' }

function eventsOf(by: ProtocolName, frames: readonly Frame[]): Event[] {
  const decoder = protocols[by].decodeStream()
  return [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()]
}

const streams = recordedStreams().flatMap(({ by, name, frames }) => {
  const events = eventsOf(by, frames)
  // A stream that broke off has no whole answer to compare with.
  return !events.some((event) => event.type === 'finish') || events.some((event) => event.type === 'fault') ? [] : [{ by, name, events }]
})

/** What a client got of an answer, without ids, ways of writing and thoughts, which some forms tell twice. */
function shown(blocks: readonly Block[]): string[] {
  let said = ''
  const others: string[] = []
  for (const block of blocks) {
    if (block.type === 'text' || block.type === 'refusal') said += block.text
    else if (block.type === 'reasoning') continue
    else if (block.type === 'call')
      others.push(`call ${block.name} ${block.input.trim() === '' ? '{}' : JSON.stringify(argumentsOf(block.input))}`)
    else
      others.push(
        block.type === 'media' ? `media ${block.mediaType}` : `${block.type} ${block.type === 'foreign' ? String(block.data.type) : ''}`,
      )
  }
  return [said, ...others.toSorted()]
}

function argumentsOf(input: string): unknown {
  try {
    return JSON.parse(input)
  } catch {
    return input
  }
}

for (const client of names) {
  describe(`a stream for a ${client} client`, () => {
    for (const { by, name, events } of streams) {
      if (by === client) continue
      test(`${name} (${by}) shows and loses what the whole answer does`, () => {
        const encoder = protocols[client].encodeStream(CALL)
        const losses = new AnswerLosses(protocols[client], CALL)
        const frames: Frame[] = []
        for (const event of events) {
          losses.push(event)
          frames.push(...encoder.push(event))
        }
        frames.push(...encoder.end())
        const answer = collect(events)
        const whole = protocols[client].encodeResponse(answer, CALL)
        expect(losses.losses().map(({ path }) => path)).toEqual([...new Set(whole.losses.map(({ path }) => path))])
        const streamed = collect(eventsOf(client, frames)).choices[0]?.content ?? []
        const once = protocols[client].decodeResponse(whole.body).choices[0]?.content ?? []
        expect(shown(streamed)).toEqual(shown(once))
      })
    }
  })
}

test('a stream that broke off lost what had been said by then', () => {
  const losses = new AnswerLosses(protocols.gemini, CALL)
  losses.push({ type: 'start', id: 'a', model: 'm' })
  losses.push({ type: 'open', choice: 0, index: 0, block: { type: 'foreign', from: 'claude', data: { type: 'server_tool_use' } } })
  losses.push({ type: 'fault', fault: { kind: 'upstream', status: 502, message: 'gone' } })
  expect(losses.losses()).toEqual([{ path: 'candidates[0].content.parts[0]', reason: 'a block only claude knows' }])
  expect(() => collect([{ type: 'fault', fault: { kind: 'upstream', status: 502, message: 'gone' } }])).toThrow(BrokenStream)
})
