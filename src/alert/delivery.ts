import type { AlertChannel } from '../model/events.ts'

/** What came of one try. `retry`: it may go through later. The text is one line, without secrets. */
export type Outcome =
  | { readonly kind: 'sent' }
  | { readonly kind: 'failed'; readonly retry: boolean; readonly text: string }

export const sent: Outcome = { kind: 'sent' }
export const failed = (text: string, { retry }: { readonly retry: boolean }): Outcome => ({
  kind: 'failed',
  retry,
  text,
})

/** Where deliveries go, one at a time and in order. */
export interface Destination {
  readonly channel: AlertChannel
  /** Server or program, for the log. */
  readonly target: string
  /** Deliveries with one `line` keep their order and wait for each other. */
  readonly line: string
  /** At most one try at a time for all lines with one `server`. */
  readonly server: string
  /** Milliseconds for one try. */
  readonly withinMs: number
}

export interface Delivery {
  readonly to: Destination
  readonly subject: string
  /** One try. Ends soon after the signal fires; may reject, which counts as a failure that may pass. */
  attempt(signal: AbortSignal): Promise<Outcome>
}
