import type { Check } from '../src/check/contract.ts'
import { dial } from '../src/check/dial.ts'
import { failureOf } from '../src/check/failure.ts'
import { up } from '../src/model/verdict.ts'

/** Up when a TCP connection opens; nothing is sent, and it is closed in good order. */
export const connect: Check = {
  name: 'connect',
  kind: 'connect',
  summary: 'opens a TCP connection',
  defaultForPorts: [],
  timeout: 'checktimeout',
  fields: {},
  async run(target, _options, { signal }) {
    try {
      const socket = await dial(target, signal)
      // a FIN, not an RST: what the server has sent by now is read and thrown away
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      socket.resume()
      socket.destroySoon()
      await closed
      return up('connected')
    } catch (error) {
      return failureOf(error, signal, 'connecting')
    }
  },
}
