import { setTimeout as delay } from 'node:timers/promises'

export interface Patience {
  readonly withinMs?: number
  readonly everyMs?: number
}

/**
 * Polls until `probe` gives something other than undefined. When the time is over it throws with what was awaited and
 * what `seen` last said. An error of the probe counts as "not yet".
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  { withinMs = 15_000, everyMs = 100 }: Patience = {},
  seen: () => string = () => '',
): Promise<T> {
  const until = performance.now() + withinMs
  let problem = ''
  for (;;) {
    try {
      const found = await probe()
      if (found !== undefined) return found
      problem = ''
    } catch (error) {
      problem = `\n${String(error)}`
    }
    if (performance.now() >= until) throw new Error(`awaited for ${withinMs} ms: ${what}\n${seen()}${problem}`)
    await delay(everyMs)
  }
}
