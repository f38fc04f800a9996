/** Seconds that latencies are sorted by: from a refusal to an hour-long answer. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600] as const
/** Different labels one counter keeps: words of our own tables; anything beyond would be a fault and is counted as `other`. */
const MAX_LABELS = 200

/** A sum that only grows, told apart by one label. Adding is one look-up. */
export class Counter {
  readonly #label: string
  readonly #help: string
  readonly #name: string
  readonly #values = new Map<string, number>()

  constructor(name: string, help: string, label: string) {
    this.#name = name
    this.#help = help
    this.#label = label
  }

  add(label: string, value = 1): void {
    const known = this.#values.get(label)
    if (known !== undefined || this.#values.size < MAX_LABELS) this.#values.set(label, (known ?? 0) + value)
    else this.#values.set('other', (this.#values.get('other') ?? 0) + value)
  }

  /** Lines of the text format. */
  text(): string {
    return textOf(
      this.#name,
      this.#help,
      'counter',
      [...this.#values].map(([label, value]) => [`{${this.#label}="${escaped(label)}"}`, value]),
    )
  }
}

/** How many durations were at most so long. Observing is a walk over a handful of numbers. */
export class Histogram {
  readonly #name: string
  readonly #help: string
  readonly #counts = new Float64Array(SECONDS.length + 1)
  #sum = 0

  constructor(name: string, help: string) {
    this.#name = name
    this.#help = help
  }

  observe(milliseconds: number): void {
    const seconds = milliseconds / 1_000
    this.#sum += seconds
    let place = 0
    while (place < SECONDS.length && seconds > (SECONDS[place] ?? 0)) place += 1
    this.#counts[place] = (this.#counts[place] ?? 0) + 1
  }

  text(): string {
    let total = 0
    const lines = [...this.#counts].map((count, place): [string, number] => {
      total += count
      return [`_bucket{le="${SECONDS[place] ?? '+Inf'}"}`, total]
    })
    return textOf(this.#name, this.#help, 'histogram', [...lines, ['_sum', this.#sum], ['_count', total]])
  }
}

/** What a process counts of itself. No label names a user, a key, a channel or a model: the number of lines is bounded. */
export class Metrics {
  readonly httpRequests = new Counter(
    'tollgate_http_requests_total',
    'Answers of everything but the gateway, by class of status.',
    'status',
  )
  readonly httpSeconds = new Histogram('tollgate_http_request_seconds', 'Time to these answers.')
  readonly calls = new Counter('tollgate_gateway_calls_total', 'Calls that were settled, by how they ended.', 'end_reason')
  readonly errors = new Counter('tollgate_gateway_errors_total', 'Calls that were answered with an error, by its code.', 'code')
  readonly tokens = new Counter(
    'tollgate_gateway_tokens_total',
    'Tokens of settled calls; input includes what was read from and written to caches.',
    'kind',
  )
  readonly payloads = new Counter(
    'tollgate_payload_records_total',
    'Records of what calls asked and were answered, by what became of them.',
    'outcome',
  )
  readonly callSeconds = new Histogram('tollgate_gateway_call_seconds', 'Time from the arrival of a call to its end.')
  readonly firstTokenSeconds = new Histogram(
    'tollgate_gateway_first_token_seconds',
    'Time from the arrival of a call to its first content.',
  )

  text(): string {
    return Object.values(this)
      .map((one: Counter | Histogram) => one.text())
      .join('')
  }
}

/** One value that may fall, or several told apart by one label. */
export function gauge(name: string, help: string, values: number | Record<string, number>, label = ''): string {
  const lines: [string, number][] =
    typeof values === 'number' ? [['', values]] : Object.entries(values).map(([one, value]) => [`{${label}="${escaped(one)}"}`, value])
  return textOf(name, help, 'gauge', lines)
}

/** What the runtime knows of the process, under the names that every Prometheus client uses. */
export function processText(): string {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const started = Date.now() / 1_000 - process.uptime()
  return [
    textOf('process_cpu_seconds_total', 'Processor time used.', 'counter', [['', (user + system) / 1e6]]),
    gauge('process_resident_memory_bytes', 'Memory of the process.', rss),
    gauge('process_heap_bytes', 'Memory of its objects.', heapUsed),
    gauge('process_start_time_seconds', 'When it started, Unix time.', Math.round(started)),
  ].join('')
}

/** The text format of Prometheus (prometheus.io/docs/instrumenting/exposition_formats). */
function textOf(
  name: string,
  help: string,
  type: 'counter' | 'gauge' | 'histogram',
  lines: readonly (readonly [string, number])[],
): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map(([rest, value]) => `${name}${rest} ${value}\n`).join('')}`
}

function escaped(label: string): string {
  return label.replace(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`))
}
