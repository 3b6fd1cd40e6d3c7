import type { Companion } from '../control/companion.ts'
import { messageOf } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import type { Tell } from '../model/events.ts'
import type { Route } from './http.ts'
import { type Listening, listenOn } from './listen.ts'
import { createApiServer } from './server.ts'

export interface ControlSocketOptions {
  readonly path: string
  readonly routes: readonly Route[]
  readonly tell: Tell
}

export interface ControlSocket extends Companion {
  /** Resolves when it listens or could not; then it is tried again at each change. Never rejects. */
  open(): Promise<void>
}

/** The daemon's ear for operators. Without it the director works on: that it is missing is told once. */
export function createControlSocket({ path, routes, tell }: ControlSocketOptions): ControlSocket {
  let listening: Listening | undefined
  let opening: Promise<void> | undefined
  let isTold = false
  let stopped = false
  const onFault = (text: string): void => tell({ kind: 'fault', text: `control socket: ${text}` })

  const tryOpen = async (): Promise<void> => {
    try {
      await listening?.close()
      listening = undefined
      listening = await listenOn(createApiServer({ routes, onFault }), path, onFault)
      if (isTold) tell({ kind: 'note', text: `The control socket ${printable(path)} is open again` })
      isTold = false
    } catch (error) {
      if (isTold) return
      isTold = true
      const why = printable(messageOf(error))
      tell({
        kind: 'note',
        text: `The control socket ${printable(path)} cannot be opened, the daemon runs without: ${why}`,
      })
    }
  }
  const open = (): Promise<void> => {
    if (stopped || listening?.isThere() === true) return Promise.resolve()
    opening ??= tryOpen().finally(() => {
      opening = undefined
    })
    return opening
  }
  return {
    name: 'control socket',
    open,
    // A pass over the table comes every few seconds: somebody may have swept the socket away.
    onChange: () => void open(),
    stop: async () => {
      stopped = true
      await opening
      await listening?.close()
    },
  }
}
