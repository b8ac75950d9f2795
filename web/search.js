// Search in all pages, without a server. Above, solved.py writes SECTIONS: [address, page, title, text].
(() => {
  const MOST = 30; // sections that are listed
  const AROUND = 60; // letters before and after the word that is shown
  const [query, count, found] = ["query", "count", "found"].map(id => document.getElementById(id));
  const sections = SECTIONS.map(([address, page, title, text]) => (
    {address, page, title, text, low: text.toLowerCase(), head: title.toLowerCase()}));

  const times = (text, word) => text.split(word).length - 1;

  // How well a section fits: how often it has the words, a title counts as ten; 0 if it lacks one.
  function fit({low, head}, words) {
    const each = words.map(word => times(low, word) + (head.includes(word) ? 10 : 0));
    return each.includes(0) ? 0 : each.reduce((sum, one) => sum + one, 0);
  }

  // What stands around the rarest of the words.
  function excerpt({text, low}, words) {
    const [word] = words.toSorted((one, other) => times(low, one) - times(low, other));
    const at = low.indexOf(word);
    return `… ${text.slice(Math.max(0, at - AROUND), at + AROUND)} …`;
  }

  function line(section, words) {
    const [item, link, more] = ["li", "a", "span"].map(name => document.createElement(name));
    link.href = section.address;
    link.textContent = section.title === section.page ? section.page : `${section.page}: ${section.title}`;
    more.textContent = excerpt(section, words);
    item.append(link, more);
    return item;
  }

  function search() {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fitting = sections.map(section => ({section, fits: fit(section, words)}))
      .filter(({fits}) => fits).sort((one, other) => other.fits - one.fits);
    found.replaceChildren(...fitting.slice(0, MOST).map(({section}) => line(section, words)));
    const listed = fitting.length > MOST ? `, ${MOST} of them here` : "";
    count.textContent = words.length ? `Sections with these words: ${fitting.length}${listed}` : "";
  }

  query.addEventListener("input", search);
  search(); // what was typed before the page was left and came back
})();
