// Pings its argument once and prints the result: for a test that starts it in a network namespace.
import { ping } from '../../checks/ping.ts'
import { ask } from './probing.ts'

const [, , address = '', timeoutMs = ''] = process.argv
process.stdout.write(JSON.stringify(await ask({ check: ping, address, timeoutMs: Number(timeoutMs) })))
