/** Perl ldirectord's list (behaviour reference 1.7), as far as Node lets them be handled. */
const ending: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGABRT', 'SIGXCPU', 'SIGXFSZ']

/** Ends the daemon and leaves the table as it is, whatever cleanstop says: for a start that follows. */
export const keepTableSignal = 'SIGUSR2'

export interface SignalActions {
  /** HUP. */
  reload(): void
  /** USR1: the log file is opened anew. Without a listener Node would open its debugger. */
  reopen(): void
}

export interface Ending {
  /** The name of the first ending signal, without `SIG`. */
  readonly signal: string
  readonly keepTable: boolean
}

export interface Signals {
  readonly ended: Promise<Ending>
  /** Who acts from now on; a HUP that came before is handed on. */
  attach(actions: SignalActions): void
}

/**
 * Catches the daemon's signals from now on, so that none of them finds the default action. A second ending signal ends
 * the process at once: an operator is never stuck with a clean-up that does not end. PIPE is left alone: Node ignores
 * it, and a listener that is taken away again would bring the default action back.
 */
export function catchSignals(): Signals {
  let actions: SignalActions | undefined
  let early = false
  process.on('SIGHUP', () => {
    if (actions === undefined) early = true
    else actions.reload()
  })
  process.on('SIGUSR1', () => actions?.reopen())
  const ended = new Promise<Ending>((resolve) => {
    let told = false
    for (const signal of [...ending, keepTableSignal] as const) {
      process.on(signal, () => {
        if (told) process.exit(1)
        told = true
        resolve({ signal: signal.slice('SIG'.length), keepTable: signal === keepTableSignal })
      })
    }
  })
  return {
    ended,
    attach: (to) => {
      actions = to
      if (early) to.reload()
      early = false
    },
  }
}
