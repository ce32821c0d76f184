// The page: a course where the address names one, else the editors' home.
import { Home } from "./home";
import { View } from "./view";

export class CoursePage {
	constructor(page) {
		this.page = page;
		this.part = null;
		this.subject = null;
		$(page.parent).on("hide", () => this.part && this.part.hide());
	}

	// Called each time the page is seen.
	show(subject, row) {
		const is_same = this.part && this.subject === subject;
		if (!is_same || !subject) this.open(subject);
		return this.part.show(row);
	}

	open(subject) {
		if (this.part) {
			this.part.hide();
			$(this.part.element).remove();
		}
		this.subject = subject;
		this.part = subject ? new View(this.page, subject) : new Home(this.page);
		$(this.page.main).append(this.part.element);
	}
}
