import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** What is looked at, as CSS selectors; without them the whole page. */
export interface Scope {
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** What axe finds wrong, and where: a list that should be empty. The page's fonts are there when it looks. */
export async function faults(page: Page, { include = [], exclude = [] }: Scope = {}) {
  await page.evaluate(() => document.fonts.ready)
  const axe = new AxeBuilder({ page }).withTags(TAGS)
  for (const place of include) axe.include(place)
  for (const place of exclude) axe.exclude(place)
  const { violations } = await axe.analyze()
  return violations.map(({ id, nodes }) => ({ id, where: nodes.map(node => node.target) }))
}
