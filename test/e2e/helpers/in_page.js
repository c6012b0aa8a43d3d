/** in_page.js — what is asked of a page from within: functions a browser runs, which know nothing but the document. */

/** Tries to run and to load what was not in it. */
export function tamper() {
  const script = document.createElement('script');
  script.textContent = 'document.title = "taken"';
  const image = new Image();
  image.src = 'http://127.0.0.1:9/x.png';
  document.body.append(script, image);
}

/** Colours of the page's back, of its words, and of what is drawn. */
export function colours() {
  const style = (selector, name) => {
    const found = [...document.querySelectorAll(selector)].map((one) => getComputedStyle(one).getPropertyValue(name));
    return [...new Set(found)];
  };
  const words = 'h1, h2, h3, h4, p, summary, li, caption, thead th *, tbody tr:first-child > *, dt, dd, a, code';
  return {
    back: style('body', 'background-color')[0],
    texts: [...style(words, 'color'), ...style('figure:nth-child(-n + 2) svg text', 'fill')],
    // the last one is neutral: of what is not worth a colour
    lines: [
      ...style('.series', 'stroke'), ...style('.whisker', 'stroke'), ...style('pattern:not(:last-child) .tint', 'fill'),
    ],
  };
}

export function onPaper() {
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.getClientRects().length > 0);
  return {
    back: getComputedStyle(document.body).backgroundColor,
    data: shown('details.data').length,
    cut: shown('.scroll').filter((one) => getComputedStyle(one).overflow !== 'visible').length,
    plots: shown('svg[role=img]').length,
  };
}

/** What is wider than the window; a table in its own scroll area and what is in a picture may be. */
export function tooWide() {
  const out = [...document.querySelectorAll('body *:not(.scroll *):not(svg *)')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5)
    .map((one) => one.outerHTML.slice(0, 80));
  return { page: document.documentElement.scrollWidth, out };
}

/** Words that reach over the edge of their plot. */
export function cutWords() {
  const cut = [...document.querySelectorAll('svg[role=img] text')].filter((word) => {
    const own = word.getBoundingClientRect();
    const plot = word.closest('svg').getBoundingClientRect();
    const across = own.left >= plot.left - 1 && own.right <= plot.right + 1;
    return !across || own.top < plot.top - 1 || own.bottom > plot.bottom + 1;
  });
  return cut.map((word) => `${word.closest('figure').querySelector('h4').textContent}: ${word.textContent}`);
}

/** Of each plot what who does not see it is told: title and description. */
export function described() {
  return [...document.querySelectorAll('svg[role=img]')].map((plot) => (
    plot.getAttribute('aria-labelledby').split(' ').map((id) => document.getElementById(id).textContent)
  ));
}

export const isFocused = (element) => element === document.activeElement;
