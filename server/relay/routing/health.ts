import type { Candidate, CatalogChannel } from '../../features/catalog/snapshot.ts'
import type { Clock } from '../../lib/clock.ts'
import type { LiveSettings } from '../../lib/live-settings.ts'
import type { ChannelPlace } from '../channel-limits.ts'
import { Breaker, type BreakerRules, type BreakerState } from './breaker.ts'
import { keyed } from './keyed.ts'
import { KeyRing } from './keys.ts'
import { Speed } from './speed.ts'

/** Who is to blame for a failed try. `nobody`: the customer's own mistake, or he left. */
export type Blame = 'nobody' | 'model' | 'channel' | 'key_refused' | 'rate_limit'

/** What a failed try says of its channel. */
export interface Failing {
  blame: Blame
  reason: string
  /** What the upstream asked for. */
  retryAfterMs: number | undefined
}

/** Told when something happened that outlives this process or that others should know. */
export interface HealthListener {
  opened(channel: CatalogChannel, failures: number, reason: string): void
  /** No key of the channel works: clear evidence, unlike a fault. */
  disabled(channel: CatalogChannel, failures: number, reason: string): void
  /** What had opened is closed again. */
  closed(channel: CatalogChannel): void
  returned(channel: CatalogChannel): void
}

/** How many calls may try at once what everything speaks against, when nothing else is left: enough to find it healed, too few to hurt. */
const LAST_RESORT_TRIALS = 8
/** How long a channel that another process, or this one before its start, took out of service stays out, as a multiple of the cooldown. */
const DISABLED_COOLDOWNS = 10

/** Why a candidate gets no traffic now. */
export interface Block {
  reason: 'open' | 'model_open' | 'no_key' | 'limit'
  untilMs: number
  why: string
}

/** One channel as its traffic shows it. */
export class ChannelState {
  readonly breaker: Breaker
  readonly models = new Map<number, Breaker>()
  readonly ring: KeyRing
  readonly baseUrl: string
  /** What the routing data said last of its being out of service. */
  seenDisabledAt: number | null
  inFlight = 0
  calls = 0
  failures = 0
  inputTokens = 0
  cachedTokens = 0
  /** Since when it is out of service for its keys. */
  disabled: boolean

  constructor(channel: CatalogChannel, nowMs: number, cooldownMs: number) {
    this.breaker = new Breaker(channel.id)
    this.ring = new KeyRing(channel.keys, channel.id)
    this.baseUrl = channel.baseUrl
    this.seenDisabledAt = channel.autoDisabledAt
    this.disabled = channel.autoDisabledAt !== null
    if (!this.disabled) return
    for (const key of this.ring.breakers) key.openFor(nowMs, cooldownMs * DISABLED_COOLDOWNS, channel.autoDisabledReason)
  }
}

/** A call on its way through a channel: it ends exactly once. */
export interface Pass {
  /** With the key that is used. */
  readonly candidate: Candidate
  readonly state: ChannelState
  readonly keyIndex: number
  /** Breakers this call is the trial of. */
  readonly trials: Breaker[]
  startedMs: number
  /** When it answered, since its start. */
  answeredMs: number | undefined
  /** What it took of the channel's limits. */
  place: ChannelPlace | undefined
  over: boolean
}

/** The health of every channel that had traffic, in memory. A channel without a fault costs two look-ups. */
export class Health {
  /** Grows whenever a candidate may have become blocked or free. */
  version = 0
  readonly speeds = new Map<number, Speed>()
  readonly #channels = new Map<number, ChannelState>()
  readonly #clock: Clock
  readonly #settings: LiveSettings
  readonly #listener: HealthListener
  #rules: BreakerRules = { failures: 1, cooldownMs: 1 }
  #rulesVersion = -1

  constructor(clock: Clock, settings: LiveSettings, listener: HealthListener) {
    this.#clock = clock
    this.#settings = settings
    this.#listener = listener
  }

  get rules(): BreakerRules {
    if (this.#rulesVersion !== this.#settings.version) {
      this.#rulesVersion = this.#settings.version
      this.#rules = {
        failures: this.#settings.integer('reliability_disable_after_failures'),
        cooldownMs: this.#settings.integer('reliability_cooldown_seconds') * 1000,
      }
    }
    return this.#rules
  }

  /** What is known of a channel; undefined: it had no traffic since the start or its last reset. */
  find(channelId: number): ChannelState | undefined {
    return this.#channels.get(channelId)
  }

  /** A channel with other keys or another address, or put out of or back into service elsewhere, begins anew. */
  state(channel: CatalogChannel): ChannelState {
    const known = this.#channels.get(channel.id)
    if (known && known.ring.keys === channel.keys && known.baseUrl === channel.baseUrl && agrees(known, channel.autoDisabledAt))
      return known
    const made = new ChannelState(channel, this.#clock.monotonic(), this.rules.cooldownMs)
    this.#channels.set(channel.id, made)
    if (known) made.inFlight = known.inFlight
    if (known || made.disabled) this.version += 1
    return made
  }

  /** All of it in numbers: tries that run, and breakers (of channels, of models on them, of keys) by state. */
  overview(): { inFlight: number; breakers: Record<BreakerState, number> } {
    const nowMs = this.#clock.monotonic()
    const breakers: Record<BreakerState, number> = { closed: 0, open: 0, half_open: 0 }
    let inFlight = 0
    for (const state of this.#channels.values()) {
      inFlight += state.inFlight
      for (const breaker of [state.breaker, ...state.models.values(), ...state.ring.breakers]) breakers[breaker.state(nowMs)] += 1
    }
    return { inFlight, breakers }
  }

  speed(candidate: Candidate): Speed {
    let speed = this.speeds.get(candidate.channelModelId)
    if (!speed) this.speeds.set(candidate.channelModelId, (speed = new Speed()))
    return speed
  }

  /** Why a candidate gets no traffic, or undefined. */
  blockOf(candidate: Candidate, nowMs: number): Block | undefined {
    const { channel } = candidate
    if (!this.#channels.has(channel.id) && channel.autoDisabledAt === null) return undefined
    const state = this.state(channel)
    if (state.breaker.state(nowMs) === 'open') return { reason: 'open', untilMs: state.breaker.openUntilMs, why: state.breaker.reason }
    const model = state.models.get(candidate.channelModelId)
    if (model?.state(nowMs) === 'open') return { reason: 'model_open', untilMs: model.openUntilMs, why: model.reason }
    const untilMs = state.ring.blockedUntilMs(nowMs)
    return untilMs === 0 ? undefined : { reason: 'no_key', untilMs, why: state.ring.breakers[0]?.reason ?? '' }
  }

  /**
   * Lets a call through to a candidate, or not: its breaker is open, or its trial is under way. As a last resort, when
   * nothing else is left, a few at a time may try before the cooldown is over, unless the upstream itself named the time.
   */
  enter(candidate: Candidate, preferredKey: number | undefined, lastResort: boolean): Pass | undefined {
    const nowMs = this.#clock.monotonic()
    const trials = lastResort ? LAST_RESORT_TRIALS : 1
    const state = this.state(candidate.channel)
    const model = state.models.get(candidate.channelModelId)
    if (!state.breaker.allows(nowMs, lastResort, trials) || model?.allows(nowMs, lastResort, trials) === false) return undefined
    const keyIndex = state.ring.next(nowMs, preferredKey, lastResort, trials)
    const key = keyIndex === undefined ? undefined : state.ring.breakers[keyIndex]
    if (keyIndex === undefined || !key) return undefined
    const on: Breaker[] = []
    if (state.breaker.begin()) on.push(state.breaker)
    if (model?.begin()) on.push(model)
    if (key.begin()) on.push(key)
    state.inFlight += 1
    state.calls += 1
    this.speed(candidate).begin(nowMs)
    return {
      candidate: keyed(candidate, keyIndex),
      state,
      keyIndex,
      trials: on,
      startedMs: nowMs,
      answeredMs: undefined,
      place: undefined,
      over: false,
    }
  }

  /** It answered: whatever spoke against the channel is over. The call itself goes on. */
  answered(pass: Pass): void {
    pass.answeredMs = this.#clock.monotonic() - pass.startedMs
    const { state, candidate } = pass
    let changed = state.breaker.succeeded()
    changed = state.models.get(candidate.channelModelId)?.succeeded() === true || changed
    changed = state.ring.breakers[pass.keyIndex]?.succeeded() === true || changed
    this.#endTrials(pass)
    if (changed) this.version += 1
    if (state.disabled) {
      state.disabled = false
      this.#listener.returned(candidate.channel)
    } else if (changed) this.#listener.closed(candidate.channel)
  }

  /** It failed, before an answer or in the middle of one. */
  failed(pass: Pass, { blame, reason, retryAfterMs }: Failing): void {
    this.#endTrials(pass)
    if (blame === 'nobody') return
    const { state, candidate } = pass
    state.failures += 1
    const nowMs = this.#clock.monotonic()
    const { channel } = candidate
    if (blame === 'key_refused' || (blame === 'rate_limit' && state.ring.keys.length > 1)) {
      const fault = blame === 'rate_limit' ? 'rate_limit' : 'refused'
      const noneLeft = state.ring.failed(pass.keyIndex, fault, nowMs, this.rules, reason, retryAfterMs)
      this.version += 1
      if (!noneLeft || fault !== 'refused' || state.disabled) return
      state.disabled = true
      this.#listener.disabled(channel, state.ring.breakers[pass.keyIndex]?.failures ?? 1, reason)
      return
    }
    const breaker = blame === 'channel' ? state.breaker : modelBreaker(state, candidate)
    const wasOpen = breaker.openUntilMs > 0
    if (!breaker.failed(nowMs, this.rules, reason, retryAfterMs)) return
    this.version += 1
    if (!wasOpen) this.#listener.opened(channel, breaker.failures, reason)
  }

  /** The call is over: its place is free. Twice does no harm. */
  end(pass: Pass): void {
    if (pass.over) return
    pass.over = true
    pass.place?.end(undefined)
    this.#endTrials(pass)
    if (pass.state.inFlight > 0) pass.state.inFlight -= 1
    const now = this.#channels.get(pass.candidate.channel.id)
    if (now && now !== pass.state && now.inFlight > 0) now.inFlight -= 1
  }

  /** Forgets what speaks against a channel. */
  reset(channelId: number): void {
    this.#channels.delete(channelId)
    this.version += 1
  }

  /** Forgets channels and bindings that are no more. */
  keepOnly(channelIds: ReadonlySet<number>, channelModelIds: ReadonlySet<number>): void {
    for (const id of this.#channels.keys()) if (!channelIds.has(id)) this.#channels.delete(id)
    for (const id of this.speeds.keys()) if (!channelModelIds.has(id)) this.speeds.delete(id)
  }

  #endTrials(pass: Pass): void {
    for (const breaker of pass.trials) breaker.end()
    pass.trials.length = 0
  }
}

/** Routing data that says something new of a channel wins over what this process thinks; what it said before does not. */
function agrees(state: ChannelState, disabledAt: number | null): boolean {
  if (state.seenDisabledAt === disabledAt) return true
  state.seenDisabledAt = disabledAt
  return state.disabled === (disabledAt !== null)
}

function modelBreaker(state: ChannelState, candidate: Candidate): Breaker {
  let breaker = state.models.get(candidate.channelModelId)
  if (!breaker) state.models.set(candidate.channelModelId, (breaker = new Breaker(candidate.channelModelId)))
  return breaker
}
