// Counts of tests: what a mocha run left in its totals file, and sums of them.
import { readFileSync } from 'node:fs'

/** @typedef {{ passed: number, failed: number, skipped: { title: string, reason: string }[] }} Totals */

/** @returns {Totals} */
export const noTests = () => ({ passed: 0, failed: 0, skipped: [] })

/** @param {readonly Totals[]} list @returns {Totals} */
export function sum(list) {
  const all = noTests()
  for (const one of list) {
    all.passed += one.passed
    all.failed += one.failed
    all.skipped.push(...one.skipped)
  }
  return all
}

/** The line that ends a run; a CI reads it, so its form does not change. */
export const wordTotals = (totals) =>
  `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped.length} skipped`

/**
 * The totals that a run left behind. A run that wrote none (crash, deadline), or that ended badly though
 * every test passed (exit code, unhandled rejection after the last test), counts as one failure.
 */
export function readTotals(file, ended) {
  let totals
  try {
    totals = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { ...noTests(), failed: 1 }
  }
  if (ended !== '' && totals.failed === 0) totals.failed = 1
  return totals
}
