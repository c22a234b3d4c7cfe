// The grid. Only rows near the viewport are in the document; padding takes the space of the others.

const grid = (() => {
  const list = $('grid');
  // Cards in the document, by index, and cards of the previous filter that can be reused, by video.
  const cards = new Map();
  const spare = new Map();
  let active = 0;
  let previewTimer = 0;

  /** Returns the card of a video. A reused card keeps its loaded image or preview. */
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
    const warnings = video.warnings.length;
    const button = make('button', { type: 'button', className: 'card', tabIndex: -1 },
      poster(video),
      make('span', { className: 'caption' },
        make('span', { className: video.prompt ? 'name' : 'name id', textContent: name, title: name }),
        make('span', { className: 'model', textContent: video.model || 'unknown model' }),
        make('span', { className: 'facts', textContent: [time(day, video.date), bytes(video.size)].filter(Boolean).join(' · ') })));
    if (warnings) {
      button.firstChild.append(make('span', { className: 'chip warned', textContent: warnings === 1 ? '1 warning' : `${count(warnings)} warnings` }));
    }
    if (video.draft) button.firstChild.append(make('span', { className: 'chip draft', textContent: 'draft' }));
    const item = make('li', { video }, button);
    button.addEventListener('click', () => viewer.open(item.index));
    button.addEventListener('focus', () => activate(item.index));
    return item;
  }

  /** Creates a poster: the last frame. Without one, a preview shows the first frame when scrolling stops. */
  function poster(video) {
    const kind = video.videoFile ? '' : video.files[0]?.name ?? '';
    const frame = make('span', { className: video.tall ? 'poster tall' : 'poster' });
    frame.dataset.kind = kind;
    if (video.lastFrame) {
      const image = make('img', { alt: '', loading: 'lazy', decoding: 'async', src: video.lastFrame.link });
      image.addEventListener('error', () => image.remove());
      frame.append(image);
    } else if (video.videoFile) {
      frame.dataset.preview = video.videoFile.link;
    }
    if (length(video)) frame.append(make('span', { className: 'chip length', textContent: length(video) }));
    return frame;
  }

  function loadPreviews() {
    for (const frame of list.querySelectorAll('[data-preview]')) {
      const preview = make('video', { muted: true, playsInline: true, preload: 'metadata', tabIndex: -1, src: `${frame.dataset.preview}#t=0.001` });
      preview.setAttribute('aria-hidden', 'true');
      preview.addEventListener('error', () => preview.remove());
      frame.prepend(preview);
      delete frame.dataset.preview;
    }
  }

  /** Removes a card from the document and stops its downloads. */
  function remove(item) {
    const preview = item.querySelector('video');
    if (preview) {
      preview.removeAttribute('src');
      preview.load();
    }
    item.remove();
  }

  /** Makes the document hold exactly the cards from `from` up to, not including, `to`. */
  function show(from, to) {
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
    if (!cards.size) show(0, Math.min(shown.length, columns));
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
    show(from * columns, Math.min(to * columns, shown.length));
    list.style.paddingTop = `${from * row}px`;
    list.style.paddingBottom = `${(rows - to) * row}px`;
    updateTabStop();
    clearTimeout(previewTimer);
    previewTimer = setTimeout(loadPreviews, 120);
  }

  /** Makes one card reachable with Tab: the active one, or the first visible one if that is not in the document. */
  function updateTabStop() {
    const { columns, row } = measure();
    const top = Math.max(0, Math.ceil(-list.getBoundingClientRect().top / row)) * columns;
    const tabStop = cards.has(active) ? active : Math.min(top, shown.length - 1);
    for (const [index, item] of cards) item.firstChild.tabIndex = index === tabStop ? 0 : -1;
  }

  function activate(index) {
    active = index;
    updateTabStop();
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
    const isInGrid = list.contains(event.target);
    if (!shown.length || !(isInGrid || event.target === document.body)) return;
    const { columns } = measure();
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const ends = { Home: 0, End: shown.length - 1 };
    let to = null;
    if (event.key in steps) to = isInGrid ? active + steps[event.key] : active;
    else if (isInGrid && event.key in ends) to = ends[event.key];
    if (to === null || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (to >= 0 && to < shown.length) focus(to);
  }

  function reset() {
    for (const item of cards.values()) spare.set(item.video, item);
    cards.clear();
    list.style.padding = '';
    active = 0;
    // Scroll back to the first row, but keep the filters in place while they are visible.
    if (list.getBoundingClientRect().top < 0) list.scrollIntoView();
    draw();
    spare.forEach(remove);
    spare.clear();
  }

  let frame = 0;
  const scheduleDraw = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      $('filters').classList.toggle('stuck', scrollY > 0 && $('filters').getBoundingClientRect().top <= 0);
      draw();
    });
  };
  addEventListener('scroll', scheduleDraw, { passive: true });
  new ResizeObserver(scheduleDraw).observe(document.body);
  return { reset, focus, key };
})();
