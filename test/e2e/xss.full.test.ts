import { expect, test } from 'bun:test'
import { startBrowser, startServer } from './console.ts'
import { walk } from './xss.ts'

const JOURNEY_MS = 600_000

test(
  'S11: 150 texts in every stored field: no page runs one, opens a dialog or asks anybody',
  async () => {
    const [server, browser] = [await startServer(), await startBrowser()]
    try {
      const { ran, asked, pages } = await walk(server, browser, 150)
      expect({ ran, asked, pages }).toEqual({ ran: [], asked: [], pages: 16 })
    } finally {
      await browser.close()
      await server.stop()
    }
  },
  JOURNEY_MS,
)
