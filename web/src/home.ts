// Who is signed in stands where the way to sign in stood; without an answer
// that stays.
interface Item {
  readonly url: string;
  readonly name: string;
}

const menu = document.getElementById("menu");
const answer = await fetch("get_menu");
if (menu && answer.ok) {
  const items = (await answer.json()) as readonly Item[];
  const others = items.filter((item) => new URL(item.url).pathname !== location.pathname);
  menu.replaceChildren(
    ...others.map((item) => {
      const link = document.createElement("a");
      link.href = item.url;
      link.textContent = item.name;
      return link;
    }),
  );
}

export {};
