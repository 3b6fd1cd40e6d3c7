import { connect } from 'node:net'

/** True when a server's first words are these. */
export function greets(host: string, port: number, words: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 5000 })
    socket.on('error', reject)
    socket.on('timeout', () => socket.destroy(new Error('no greeting')))
    socket.on('close', () => resolve(false))
    socket.once('data', (chunk) => {
      resolve(chunk.toString('latin1').startsWith(words))
      socket.destroy()
    })
  })
}
