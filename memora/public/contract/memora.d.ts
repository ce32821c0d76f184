// memora's files as TypeScript types, made by dev/contract from the JSON Schemas: do not edit.
// What each field means, and what may change, is in docs/contract.md.

/**
 * Who may read the node this stands in. The last three are there when, and only when, it is paid.
 */
export type Access =
	| {
			/**
			 * Always true: nothing else is published.
			 */
			is_published: true;
			/**
			 * Who may open it: anyone (public, free_preview), whoever is signed in (authenticated), or whoever owns required_item (paid).
			 */
			access_level: "paid";
			/**
			 * The code of the item that a learner must own.
			 */
			required_item: string;
			/**
			 * Whether it has a price of its own, beside its subject's.
			 */
			is_sold_separately: boolean;
			/**
			 * Whether the subject's item is asked for too, where the subject is paid.
			 */
			parent_item_required: boolean;
	  }
	| {
			/**
			 * Always true: nothing else is published.
			 */
			is_published: true;
			/**
			 * Who may open it: anyone (public, free_preview), whoever is signed in (authenticated), or whoever owns required_item (paid).
			 */
			access_level: "public" | "authenticated" | "free_preview";
	  };

/**
 * The origins of the players that an app embeds, for films and in markup. Whatever else a frame leads to is a link.
 */
export type Embed = "https://www.youtube-nocookie.com" | "https://player.vimeo.com";

/**
 * A step of a lesson. Its type says what its config is.
 */
export type Stage = VideoStage | QuestionStage | TextStage | InteractiveStage;

/**
 * A stage's config: Question: What a learner is asked, and which answer is right.
 */
export type QuestionConfig = QuestionBase &
	(
		| {
				/**
				 * How it is answered: one of the choices, several of them, one of two (`true_false`), a typed text (`short`), a typed number. Without it: with choices `one`, or `several` where `answer` lists several; without choices `short`.
				 */
				kind?: "one" | "several" | "true_false";
				/**
				 * What to choose from, each plain text with formulas.
				 */
				choices?: string[];
				tolerance?: undefined;
				unit?: undefined;
		  }
		| {
				kind: "short";
				choices?: undefined;
				tolerance?: undefined;
				unit?: undefined;
		  }
		| {
				kind: "number";
				choices?: undefined;
				/**
				 * How far a typed number may be from `answer`, upwards and downwards.
				 */
				tolerance?: number;
				/**
				 * What to show after the field of a typed number.
				 */
				unit?: string;
		  }
	);

/**
 * plans/{plan}/search_index.json: All of a plan's lessons: in here, or in shards.
 */
export type SearchIndex =
	| {
			/**
			 * The plan's name.
			 */
			plan_id: string;
			/**
			 * When this file's content last changed, in Unix seconds; it never goes back.
			 */
			version: number;
			/**
			 * The same moment as version, in ISO 8601.
			 */
			generated_at: string;
			/**
			 * All lessons of the plan.
			 */
			total_lessons: number;
			/**
			 * Whether the lessons stand in shards, because there are more than 500 or 102,400 bytes of them.
			 */
			is_sharded: true;
			/**
			 * Where the lessons are, in the order of the plan's content. A subject without lessons has none, a large one has several.
			 */
			shards: {
				/**
				 * The subject's name.
				 */
				subject_id: string;
				/**
				 * The subject's title.
				 */
				subject_name: string;
				/**
				 * A subject's shard, or one part of it.
				 */
				url: string;
				/**
				 * Lessons in this shard.
				 */
				lesson_count: number;
			}[];
	  }
	| {
			/**
			 * The plan's name.
			 */
			plan_id: string;
			/**
			 * When this file's content last changed, in Unix seconds; it never goes back.
			 */
			version: number;
			/**
			 * The same moment as version, in ISO 8601.
			 */
			generated_at: string;
			/**
			 * All lessons of the plan.
			 */
			total_lessons: number;
			/**
			 * Whether the lessons stand in shards, because there are more than 500 or 102,400 bytes of them.
			 */
			is_sharded: false;
			/**
			 * All lessons of the plan, in the order of its content.
			 */
			entries: SearchEntry[];
	  };

/**
 * One lesson and where it stands.
 */
export interface SearchEntry {
	/**
	 * The lesson itself.
	 */
	lesson_id: string;
	/**
	 * The lesson's title.
	 */
	lesson_name: string;
	/**
	 * The subject it stands in; the manifest has its URL.
	 */
	subject_id: string;
	/**
	 * The subject's title.
	 */
	subject_name: string;
	/**
	 * The unit it stands in; the subject has its URL, and the unit the lesson's.
	 */
	unit_id: string;
	/**
	 * The unit's title.
	 */
	unit_name: string;
	/**
	 * The topic that the lesson stands in.
	 */
	topic_id: string;
	/**
	 * The topic's title.
	 */
	topic_name: string;
}

/**
 * A neighbouring lesson.
 */
export interface LessonLink {
	/**
	 * The lesson's name.
	 */
	id: string;
	/**
	 * The lesson's title.
	 */
	title: string;
	/**
	 * The lesson, without a version.
	 */
	url: string;
}

/**
 * lessons/{lesson}.json, plans/{plan}/lessons/{lesson}.json: One lesson with its stages.
 */
export interface Lesson {
	/**
	 * The lesson's name.
	 */
	id: string;
	/**
	 * As learners of the plan see it.
	 */
	title: string;
	/**
	 * What it is about.
	 */
	description?: string;
	/**
	 * A path under the CDN's base, or an address elsewhere.
	 */
	image?: string;
	/**
	 * Among the lessons of its topic.
	 */
	sort_order: number;
	/**
	 * When this file's content last changed, in Unix seconds; it never goes back.
	 */
	version: number;
	/**
	 * The same moment as version, in ISO 8601.
	 */
	generated_at: string;
	/**
	 * Until when the signed addresses in this file hold (ISO 8601): read the file anew before.
	 */
	signed_url_expiry?: string;
	access: Access;
	/**
	 * What it hangs in.
	 */
	parent: {
		/**
		 * The topic's name.
		 */
		topic_id: string;
		/**
		 * The topic's title.
		 */
		topic_title: string;
		/**
		 * The unit's name.
		 */
		unit_id: string;
		/**
		 * The unit's title.
		 */
		unit_title: string;
		/**
		 * The track's name.
		 */
		track_id: string;
		/**
		 * The track's title.
		 */
		track_title: string;
		/**
		 * The subject's name.
		 */
		subject_id: string;
		/**
		 * The subject's title.
		 */
		subject_title: string;
	};
	/**
	 * The steps of the lesson, in order. Empty when the editor has written none.
	 */
	stages: Stage[];
	/**
	 * The neighbours within the subject, whatever unit they stand in.
	 */
	navigation: {
		previous_lesson?: LessonLink;
		next_lesson?: LessonLink;
	};
}

/**
 * A stage that is a Video.
 */
export interface VideoStage {
	/**
	 * 1, 2, 3 and so on.
	 */
	idx: number;
	/**
	 * The stage's title.
	 */
	title: string;
	/**
	 * What kind of step it is.
	 */
	type: "Video";
	/**
	 * What the editor entered for this type of stage: see Stages. It may be of another form than its type has.
	 */
	config: VideoConfig | OtherConfig;
}

/**
 * A stage's config: Video: A film to watch, with what a player needs beside it.
 */
export interface VideoConfig {
	/**
	 * The film: a file, or a page of a video service as people copy its link. It may be the whole frame that a service offers to copy (`<iframe src="…">`).
	 */
	video_url: string;
	/**
	 * What the film shows, for the player.
	 */
	title?: string;
	/**
	 * A picture to show until the film plays: a path under the base, or an address elsewhere.
	 */
	poster?: string;
	/**
	 * Its captions, one file (WebVTT) for each language.
	 */
	captions?: {
		/**
		 * The file: a path under the base, or an address elsewhere.
		 */
		src: string;
		/**
		 * Its language, as HTML's `srclang` has it: `en`, `ar-EG`.
		 */
		lang: string;
		/**
		 * What the learner chooses it by.
		 */
		label: string;
	}[];
	/**
	 * Where to begin, in seconds. It goes before a start in the link.
	 */
	start?: number;
	/**
	 * Where to stop, in seconds.
	 */
	end?: number;
}

/**
 * A config that does not fit the schema of its stage's type. docs/contract.md says what to show then.
 */
export interface OtherConfig {
	[k: string]: unknown;
}

/**
 * A stage that is a Question.
 */
export interface QuestionStage {
	/**
	 * 1, 2, 3 and so on.
	 */
	idx: number;
	/**
	 * The stage's title.
	 */
	title: string;
	/**
	 * What kind of step it is.
	 */
	type: "Question";
	/**
	 * What the editor entered for this type of stage: see Stages. It may be of another form than its type has.
	 */
	config: QuestionConfig | OtherConfig;
}

/**
 * What every question may have.
 */
export interface QuestionBase {
	/**
	 * What is asked: plain text with formulas.
	 */
	question?: string;
	/**
	 * Markup before the question.
	 */
	instructions?: string;
	/**
	 * What is right, as text. With choices: the choice itself, or a list of all that are right together. Without: an answer to type, or a list of answers each of which is right. A number is written with a point, `-3.5`.
	 */
	answer: string | string[];
	/**
	 * Markup that helps before the learner answers. Fold it away until asked.
	 */
	hint?: string;
	/**
	 * Markup that says why. Show it only after an answer.
	 */
	explanation?: string;
	/**
	 * Whether to show the choices in another order each time.
	 */
	shuffle?: boolean;
	/**
	 * What handed-in work is tested for.
	 */
	tests?: {
		/**
		 * What is tested, in words.
		 */
		text: string;
		/**
		 * The test itself. Don't run it beside the learner's session.
		 */
		code?: string;
	}[];
}

/**
 * A stage that is a Text.
 */
export interface TextStage {
	/**
	 * 1, 2, 3 and so on.
	 */
	idx: number;
	/**
	 * The stage's title.
	 */
	title: string;
	/**
	 * What kind of step it is.
	 */
	type: "Text";
	/**
	 * What the editor entered for this type of stage: see Stages. It may be of another form than its type has.
	 */
	config: TextConfig | OtherConfig;
}

/**
 * A stage's config: Text: Something to read: `html`, `text`, or both one after the other.
 */
export interface TextConfig {
	/**
	 * Markup, with tables, pictures, code and formulas.
	 */
	html?: string;
	/**
	 * Plain text with formulas; an empty line begins a paragraph.
	 */
	text?: string;
	/**
	 * The direction of the whole text. Without it each paragraph has its own.
	 */
	dir?: "ltr" | "rtl";
	/**
	 * Code to compare with, each a text. Fold it away until the learner asks.
	 */
	solutions?: string[];
}

/**
 * A stage that is a Interactive.
 */
export interface InteractiveStage {
	/**
	 * 1, 2, 3 and so on.
	 */
	idx: number;
	/**
	 * The stage's title.
	 */
	title: string;
	/**
	 * What kind of step it is.
	 */
	type: "Interactive";
	/**
	 * What the editor entered for this type of stage: see Stages. It may be of another form than its type has.
	 */
	config: InteractiveConfig | OtherConfig;
}

/**
 * A stage's config: Interactive: An exercise: what to do, the code to begin with, and the tests. An app that runs no code shows it to read.
 */
export interface InteractiveConfig {
	/**
	 * What to do: markup.
	 */
	instructions?: string;
	/**
	 * The files that a learner begins with.
	 */
	files?: {
		/**
		 * The file's name.
		 */
		name: string;
		/**
		 * What is in it; it may be empty.
		 */
		content: string;
		/**
		 * Its language, in lower case: `python`.
		 */
		language?: string;
		/**
		 * Code that runs before it.
		 */
		before?: string;
		/**
		 * Code that runs after it.
		 */
		after?: string;
	}[];
	/**
	 * Code that a learner begins with, where there are no files.
	 */
	starter?: string;
	/**
	 * The language of `starter`.
	 */
	language?: string;
	/**
	 * What the learner's work is tested for.
	 */
	tests?: {
		/**
		 * What is tested, in words.
		 */
		text: string;
		/**
		 * The test itself. Don't run it beside the learner's session.
		 */
		code?: string;
	}[];
	/**
	 * Names or addresses of the libraries that the code needs.
	 */
	libraries?: string[];
}

/**
 * plans/{plan}/manifest.json: One plan: its subjects and its search.
 */
export interface Manifest {
	/**
	 * The plan's name.
	 */
	plan_id: string;
	/**
	 * The plan's title.
	 */
	title: string;
	/**
	 * The title of its season.
	 */
	season?: string;
	/**
	 * The title of its grade.
	 */
	grade?: string;
	/**
	 * The title of its stream.
	 */
	stream?: string;
	/**
	 * When this file's content last changed, in Unix seconds; it never goes back.
	 */
	version: number;
	/**
	 * The same moment as version, in ISO 8601.
	 */
	generated_at: string;
	/**
	 * In the order to show them.
	 */
	subjects: {
		/**
		 * The subject's name.
		 */
		id: string;
		/**
		 * As learners of the plan see it.
		 */
		title: string;
		/**
		 * What it is about.
		 */
		description?: string;
		/**
		 * A CSS colour to set it off with, `#1B6EC2` for one.
		 */
		color_code?: string;
		/**
		 * A path under the CDN's base, or an address elsewhere.
		 */
		image?: string;
		/**
		 * The plan's own, ascending; not the subject's.
		 */
		sort_order: number;
		/**
		 * The subject as this plan has it.
		 */
		url: string;
		access: Access;
	}[];
	/**
	 * The plan's search index.
	 */
	search_index_url: string;
}

/**
 * plans/index.json: Every published plan: where an app begins.
 */
export interface PlansIndex {
	/**
	 * When this file's content last changed, in Unix seconds; it never goes back.
	 */
	version: number;
	/**
	 * The same moment as version, in ISO 8601.
	 */
	generated_at: string;
	/**
	 * In the order of their titles, then ids (by code point). Empty when no plan is published.
	 */
	plans: {
		/**
		 * The plan's name.
		 */
		plan_id: string;
		/**
		 * The plan's title.
		 */
		title: string;
		/**
		 * The title of its season.
		 */
		season?: string;
		/**
		 * The title of its grade.
		 */
		grade?: string;
		/**
		 * The title of its stream.
		 */
		stream?: string;
		/**
		 * The plan's manifest, without a version.
		 */
		url: string;
	}[];
}

/**
 * schemas/index.json: The JSON Schemas that every file beside them keeps to.
 */
export interface SchemasIndex {
	/**
	 * Two numbers. The first is raised by what breaks a reader, the second by what only adds.
	 */
	contract_version: string;
	/**
	 * When this file's content last changed, in Unix seconds; it never goes back.
	 */
	version: number;
	/**
	 * The same moment as version, in ISO 8601.
	 */
	generated_at: string;
	/**
	 * One for each kind of file; `common`, which the others refer to; and `stage_…` for the `config` of each type of stage.
	 */
	schemas: {
		/**
		 * The kind of file, `common`, or `stage_` and a type of stage in lower case.
		 */
		name: string;
		/**
		 * The schema, draft-07.
		 */
		url: string;
	}[];
}

/**
 * plans/{plan}/search/{subject}.json, plans/{plan}/search/{subject}/{n}.json: The lessons of one subject, or a part of them.
 */
export interface SearchShard {
	/**
	 * The plan's name.
	 */
	plan_id: string;
	/**
	 * The subject's name.
	 */
	subject_id: string;
	/**
	 * The subject's title.
	 */
	subject_name: string;
	/**
	 * When this file's content last changed, in Unix seconds; it never goes back.
	 */
	version: number;
	/**
	 * The same moment as version, in ISO 8601.
	 */
	generated_at: string;
	/**
	 * The lessons of the subject, or of this part of it, in the order of its content.
	 */
	entries: SearchEntry[];
}

/**
 * plans/{plan}/subjects/{subject}.json: One subject of a plan, down to its units.
 */
export interface Subject {
	/**
	 * The subject's name.
	 */
	id: string;
	/**
	 * As learners of the plan see it.
	 */
	title: string;
	/**
	 * What it is about.
	 */
	description?: string;
	/**
	 * A CSS colour to set it off with, `#1B6EC2` for one.
	 */
	color_code?: string;
	/**
	 * A path under the CDN's base, or an address elsewhere.
	 */
	image?: string;
	/**
	 * When this file's content last changed, in Unix seconds; it never goes back.
	 */
	version: number;
	/**
	 * The same moment as version, in ISO 8601.
	 */
	generated_at: string;
	access: Access;
	/**
	 * In the order to show them.
	 */
	tracks: {
		/**
		 * The track's name.
		 */
		id: string;
		/**
		 * As learners of the plan see it.
		 */
		title: string;
		/**
		 * What it is about.
		 */
		description?: string;
		/**
		 * A path under the CDN's base, or an address elsewhere.
		 */
		image?: string;
		/**
		 * Ascending; equals stand in the order they were made.
		 */
		sort_order: number;
		access: Access;
		/**
		 * In the order to show them.
		 */
		units: {
			/**
			 * The unit's name.
			 */
			id: string;
			/**
			 * As learners of the plan see it.
			 */
			title: string;
			/**
			 * What it is about.
			 */
			description?: string;
			/**
			 * A path under the CDN's base, or an address elsewhere.
			 */
			image?: string;
			/**
			 * What a learner is given who has done the unit: a path or an address, as image.
			 */
			badge_image?: string;
			/**
			 * Ascending; equals stand in the order they were made.
			 */
			sort_order: number;
			/**
			 * The unit, shared or the plan's own.
			 */
			url: string;
			access: Access;
			/**
			 * How many topics the unit lists.
			 */
			topic_count: number;
			/**
			 * How many lessons they list.
			 */
			lesson_count: number;
		}[];
	}[];
	/**
	 * What is below it, counted.
	 */
	stats: {
		/**
		 * Units of all tracks.
		 */
		total_units: number;
		/**
		 * Topics of all units.
		 */
		total_topics: number;
		/**
		 * Lessons of all topics.
		 */
		total_lessons: number;
	};
}

/**
 * units/{unit}.json, plans/{plan}/units/{unit}.json: One unit, down to its lessons.
 */
export interface Unit {
	/**
	 * The unit's name.
	 */
	id: string;
	/**
	 * As learners of the plan see it.
	 */
	title: string;
	/**
	 * What it is about.
	 */
	description?: string;
	/**
	 * A path under the CDN's base, or an address elsewhere.
	 */
	image?: string;
	/**
	 * What a learner is given who has done the unit: a path or an address, as image.
	 */
	badge_image?: string;
	/**
	 * Among the units of its track.
	 */
	sort_order: number;
	/**
	 * When this file's content last changed, in Unix seconds; it never goes back.
	 */
	version: number;
	/**
	 * The same moment as version, in ISO 8601.
	 */
	generated_at: string;
	access: Access;
	/**
	 * What it hangs in.
	 */
	parent: {
		/**
		 * The track's name.
		 */
		track_id: string;
		/**
		 * The track's title.
		 */
		track_title: string;
		/**
		 * The subject's name.
		 */
		subject_id: string;
		/**
		 * The subject's title.
		 */
		subject_title: string;
	};
	/**
	 * In the order to show them.
	 */
	topics: {
		/**
		 * The topic's name.
		 */
		id: string;
		/**
		 * As learners of the plan see it.
		 */
		title: string;
		/**
		 * What it is about.
		 */
		description?: string;
		/**
		 * A path under the CDN's base, or an address elsewhere.
		 */
		image?: string;
		/**
		 * Ascending; equals stand in the order they were made.
		 */
		sort_order: number;
		access: Access;
		/**
		 * In the order to show them.
		 */
		lessons: {
			/**
			 * The lesson's name.
			 */
			id: string;
			/**
			 * As learners of the plan see it.
			 */
			title: string;
			/**
			 * What it is about.
			 */
			description?: string;
			/**
			 * A path under the CDN's base, or an address elsewhere.
			 */
			image?: string;
			/**
			 * Ascending; equals stand in the order they were made.
			 */
			sort_order: number;
			/**
			 * The lesson, shared or the plan's own.
			 */
			url: string;
			access: Access;
			/**
			 * How many stages the lesson has.
			 */
			stage_count: number;
		}[];
	}[];
	/**
	 * What is in it, counted.
	 */
	stats: {
		/**
		 * Its topics.
		 */
		total_topics: number;
		/**
		 * Lessons of all its topics.
		 */
		total_lessons: number;
	};
}
