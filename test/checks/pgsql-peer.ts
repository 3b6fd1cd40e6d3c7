import type { Behaviour } from '../check/hostile.ts'

/** A message of the PostgreSQL protocol: a letter, the length of itself and what follows, the body. */
export function message(letter: string, body: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(body)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length + 4)
  return Buffer.concat([Buffer.from(letter), length, bytes])
}

export function failure(state: string, text: string): Buffer {
  return message('E', `SFATAL\0VFATAL\0C${state}\0M${text}\0\0`)
}

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export const askForPassword = message('R', number(3))
const welcome = Buffer.concat([message('R', number(0)), message('K', Buffer.alloc(8)), message('Z', 'I')])
const column = message('T', Buffer.concat([Buffer.from([0, 1]), Buffer.from('n\0'), Buffer.alloc(18)]))
export const row = message('D', Buffer.concat([Buffer.from([0, 1]), number(1), Buffer.from('1')]))
export const oneRow = Buffer.concat([column, row, message('C', 'SELECT 1\0'), message('Z', 'I')])

export interface PostgresPeer {
  readonly behave: Behaviour
  /** Letters of the messages that came, the start-up message being `>`. */
  readonly said: string[]
}

/** A stand-in that asks for the password in clear, takes any, and answers a query with `reply`. */
export function postgresPeer(reply: Buffer | Behaviour): PostgresPeer {
  const said: string[] = []
  const behave: Behaviour = (socket) => {
    let rest: Buffer = Buffer.alloc(0)
    let started = false
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      for (;;) {
        const head = started ? 1 : 0
        if (rest.length < head + 4 || rest.length < head + rest.readUInt32BE(head)) return
        const letter = started ? rest.toString('latin1', 0, 1) : '>'
        rest = rest.subarray(head + rest.readUInt32BE(head))
        started = true
        said.push(letter)
        if (letter === '>') socket.write(askForPassword)
        else if (letter === 'p') socket.write(welcome)
        else if (letter === 'X') socket.end()
        else if (Buffer.isBuffer(reply)) socket.write(reply)
        else reply(socket)
      }
    })
  }
  return { behave, said }
}
