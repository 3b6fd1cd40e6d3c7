// What the program holds on to: the size of what is still reachable. The resident set is no measure of that:
// an allocator keeps what it was given back, and how much of it differs between versions of Node.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Bytes that are still held, in the heap and in buffers beside it, after the garbage was collected. */
export function heldBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
