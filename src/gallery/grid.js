// The grid. Only the rows near the window are in the document: padding stands for the others.

const grid = (() => {
  const list = $('grid');
  // By their places, and those of before that may have a place again.
  const cards = new Map();
  const spare = new Map();
  let active = 0;
  let quiet = 0;

  /** The card of a video, which keeps what it has loaded wherever it goes. */
  function card(index) {
    const video = shown[index];
    const item = spare.get(video) ?? build(video);
    spare.delete(video);
    item.index = index;
    item.setAttribute('aria-setsize', shown.length);
    item.setAttribute('aria-posinset', index + 1);
    return item;
  }

  function build(video) {
    const name = video.prompt || video.id;
    const faults = video.faults.length;
    const button = make('button', { type: 'button', className: 'card', tabIndex: -1 },
      poster(video),
      make('span', { className: 'words' },
        make('span', { className: video.prompt ? 'name' : 'name id', textContent: name, title: name }),
        make('span', { className: 'model', textContent: video.model || 'unknown model' }),
        make('span', { className: 'facts', textContent: [time(day, video.date), bytes(video.size)].filter(Boolean).join(' · ') })));
    if (faults) {
      button.firstChild.append(make('span', { className: 'chip warned', textContent: faults === 1 ? '1 warning' : `${count(faults)} warnings` }));
    }
    const item = make('li', { video }, button);
    button.addEventListener('click', () => viewer.open(item.index));
    button.addEventListener('focus', () => activate(item.index));
    return item;
  }

  /** The last frame; the first one of a video that has none comes once the grid is at rest. */
  function poster(video) {
    const kind = video.film ? '' : video.files[0]?.name ?? '';
    const frame = make('span', { className: video.tall ? 'poster tall' : 'poster' });
    frame.dataset.kind = kind;
    if (video.frame) {
      const image = make('img', { alt: '', loading: 'lazy', decoding: 'async', src: video.frame.link });
      image.addEventListener('error', () => image.remove());
      frame.append(image);
    } else if (video.film) {
      frame.dataset.film = video.film.link;
    }
    if (length(video)) frame.append(make('span', { className: 'chip length', textContent: length(video) }));
    return frame;
  }

  function loadFilms() {
    for (const frame of list.querySelectorAll('[data-film]')) {
      const film = make('video', { muted: true, playsInline: true, preload: 'metadata', tabIndex: -1, src: `${frame.dataset.film}#t=0.001` });
      film.setAttribute('aria-hidden', 'true');
      film.addEventListener('error', () => film.remove());
      frame.prepend(film);
      delete frame.dataset.film;
    }
  }

  /** Takes a card out of the document, and stops what it loads. */
  function remove(item) {
    const film = item.querySelector('video');
    if (film) {
      film.removeAttribute('src');
      film.load();
    }
    item.remove();
  }

  function put(from, to) {
    for (const [index, item] of [...cards]) {
      if (index >= from && index < to) continue;
      remove(item);
      cards.delete(index);
    }
    let next = null;
    for (let index = to - 1; index >= from; index--) {
      if (!cards.has(index)) {
        cards.set(index, card(index));
        list.insertBefore(cards.get(index), next);
      }
      next = cards.get(index);
    }
  }

  function measure() {
    const style = getComputedStyle(list);
    const columns = style.gridTemplateColumns.split(' ').length;
    if (!cards.size) put(0, Math.min(shown.length, columns));
    const [first] = cards.values();
    return { columns, row: first.offsetHeight + parseFloat(style.rowGap) };
  }

  function draw() {
    if (!shown.length) return;
    const { columns, row } = measure();
    const rows = Math.ceil(shown.length / columns);
    const above = -list.getBoundingClientRect().top;
    const first = Math.floor((above - innerHeight) / row);
    const last = Math.ceil((above + 2 * innerHeight) / row);
    const from = Math.min(Math.max(first, 0), rows - 1);
    const to = Math.min(Math.max(last, from + 1), rows);
    put(from * columns, Math.min(to * columns, shown.length));
    list.style.paddingTop = `${from * row}px`;
    list.style.paddingBottom = `${(rows - to) * row}px`;
    mark();
    clearTimeout(quiet);
    quiet = setTimeout(loadFilms, 120);
  }

  /** One card can be reached with Tab: the active one, or the first in sight where that is far away. */
  function mark() {
    const { columns, row } = measure();
    const top = Math.max(0, Math.ceil(-list.getBoundingClientRect().top / row)) * columns;
    const reached = cards.has(active) ? active : Math.min(top, shown.length - 1);
    for (const [index, item] of cards) item.firstChild.tabIndex = index === reached ? 0 : -1;
  }

  function activate(index) {
    active = index;
    mark();
  }

  function focus(index) {
    if (!shown.length) return;
    active = Math.min(Math.max(index, 0), shown.length - 1);
    const { columns, row } = measure();
    const controls = $('filters');
    const covered = getComputedStyle(controls).position === 'sticky' ? controls.offsetHeight : 0;
    const top = list.getBoundingClientRect().top + Math.floor(active / columns) * row;
    if (top < covered) scrollBy(0, top - covered - 12);
    else if (top + row > innerHeight) scrollBy(0, top + row - innerHeight);
    draw();
    cards.get(active)?.firstChild.focus({ preventScroll: true });
  }

  function key(event) {
    const isHere = list.contains(event.target);
    if (!shown.length || !(isHere || event.target === document.body)) return;
    const { columns } = measure();
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const ends = { Home: 0, End: shown.length - 1 };
    let to = null;
    if (event.key in steps) to = isHere ? active + steps[event.key] : active;
    else if (isHere && event.key in ends) to = ends[event.key];
    if (to === null || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (to >= 0 && to < shown.length) focus(to);
  }

  function reset() {
    for (const item of cards.values()) spare.set(item.video, item);
    cards.clear();
    list.style.padding = '';
    active = 0;
    // The controls stay where they are when they are what has been scrolled to.
    if (list.getBoundingClientRect().top < 0) list.scrollIntoView();
    draw();
    spare.forEach(remove);
    spare.clear();
  }

  let frame = 0;
  const later = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      $('filters').classList.toggle('stuck', scrollY > 0 && $('filters').getBoundingClientRect().top <= 0);
      draw();
    });
  };
  addEventListener('scroll', later, { passive: true });
  new ResizeObserver(later).observe(document.body);
  return { reset, focus, key };
})();
