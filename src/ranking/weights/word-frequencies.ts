/**
 * How common words are in talk: counts, made by `npm run bench -- ranker --words` (bench/ranker/count-words.ts); do not edit.
 *
 * From the train splits of chitchat (MIT), self-dialogue (BSD-3-Clause), persona-chat (CC-BY-4.0), synthetic-persona-chat (CC-BY-4.0),
 * persuasion-for-good (Apache-2.0), casino (CC-BY-4.0), counsel-chat (MIT): 6 million words.
 * A word's share is that of the source with the third largest, so that what one of them is about does not
 * count; docs/ranking.md names them in full.
 * Weights are fitted to it: with other words they need another version.
 */

/** Surprisal in nats of every word that is not listed. */
export const rareNats = 11;

/** A line: surprisal (the negative natural logarithm of the word's share of all words) to half a nat, then the words that have it. */
export const wordFrequencies = `
3 i
3.5 the to you
4 a and is it of that
4.5 are do for have in like my so
5 about be but can how i'm me really they what with would your
5.5 all am as favorite good great if it's just know not oh on one that's think this too was we well will yes
6 also an at because been cool don't from get go going he hi lot love more much music no or out people some sounds sure them then
6 there time up want when yeah
6.5 agree any by could day did does doing even family feel fun got had has hello i've kids kind make need never new nice now other
6.5 our pretty right see she should their things those though very way where who why work
7 able actually always anything awesome back bad before being best better can't definitely ever first food friends give hard hear
7 heard help her here him his hope i'd i'll important interesting into its life little long many maybe most movie ok okay old only
7 over play same say school something sorry still take tell than thank thanks thing try two understand us watch were which world wow
7 year years you're
7.5 1 2 after again amazing another around band believe big bit both come cook country different down eat else end enough especially
7.5 every few find fine friend game games getting glad happy he's hey home job keep last learn listen live look looking makes may
7.5 mean might money movies myself name night off own part person place playing probably read seen since sometimes sound start such
7.5 talk talking these they're through today together true trying use used watching went what's while working yet
8 10 3 5 ago almost alone already appreciate ask away bet book called care change check children consider cooking couple crazy dad
8 days didn't doesn't done dont each either enjoy everyone everything exactly excited experience far free funny girl guess guy
8 haven't having high hiking however idea im interested isn't least less let living lol made making man meet mind mom must needs
8 next nothing often once parents please point problem put question remember rock sad said second seeing seems sense she's show sing
8 someone spend started stay studying stuff taking team thats there's thinking thought three times top usually video wanted weekend
8 willing wish without yourself
8.5 4 6 absolutely alright anyone aren't art asking based beautiful become between books break bring brother business call came
8.5 cannot car cause chance chat child chocolate close coffee cold college comes coming completely concert conversation course
8.5 currently cute dance dog dream drink during easy exciting fact fan fast feeling figure fish fishing forward found full future
8.5 gets giving goes group guitar ha haha happen happened hate health healthy helping helps hot house huge imagine instead kid later
8.5 learning leave left listening lives local looks lost lots loved luck married medical mine month morning mostly move ones others
8.5 outside past pay perfect pick places plan played possible practice prefer quite rather reading ready real reason recently rest
8.5 run running safe saw saying science seem shows sister situation sleep small son song soon stop story super teach terrible took
8.5 totally tough travel tried tv type until volunteer wait walk wasn't water we're week weird whatever whole wife woman won't
8.5 wonder wonderful works worth wouldn't write wrong ya you'd you'll you've young
9 100 7 8 action afraid against age agreed ah along alot although american amount animal animals answer anymore anyway area artist
9 baby basic basically basketball bed black blue body boring boy boys build busy buy california camping candy cant career cars case
9 catch certain certainly character choice choose church city classic classical clothes collect color computer concerts create d
9 daughter deal death decide decided deep die difference difficult dinner doctor dogs drive due early eating entire etc evening
9 example exercise extra face fair fall fantastic father felt female field finished five follow foods football forever forgot four
9 gave general girlfriend girls given god gone gonna gotta grade grow guys hair half hand happens harry head heart helpful history
9 hit hmm honest honestly hopefully hoping horrible hours huh hungry hurt husband ice information issue issues kinda kinds knows
9 late lately law learned let's lets liked list longer loves low lucky main major matter means met metal million miss moment months
9 moved moving named near needed netflix nope number offer older online open outdoors party perhaps personal piano pictures pizza
9 planning plans player plus potter problems professional provide questions rap recommend research resources room s save says scary
9 season send series set several share shelter short sick side similar single smart social sometime songs sort south spare speak
9 speaking specific spending sports star starting state stories stress student study summer supposed sweet t taken takes teacher
9 tend tired told tonight town trip turn u under unfortunately using visit wants war wars ways we'll weather welcome whats winter
9 worked worry yea yep younger yours
9.5 0 15 20 30 50 9 ability accept act acting active activities actual add advice afford agreement ahead air america anywhere asked
9.5 attention available awful bands baseball beach beat beginning behind benefit besides biggest bills blood born bought boyfriend
9.5 broke brothers building bunch bye challenge changed changes characters chatting chicken christmas class classes clean clear club
9.5 comedies comfortable common community company considered considering cookies correct couldn't count countries cream curious cut
9.5 dancing dark date dead decision degree depends died diet disney drinking driving dude earlier easier easily east education ended
9.5 energy english enjoyed enjoying everyday excellent except expect expensive explain eyes familiar famous feels fiction fight
9.5 fighting film final finally finding fire fit focus forget french fresh friday front genre george gives goal graduate green grew
9.5 groups growing hands hang happening hearing helped hike hockey hold hop how's human ill impressive incredible inside insurance
9.5 intense internet involved join keeps kill king knew knowing known la lake languages large lead leaving level light likely likes
9.5 line lived looked lose mad magic mainly manage meal meant media meeting members men mentioned message middle minutes mother
9.5 mountain mountains names natural nature neat necessary neither nervous news non normal o office opening opinion opportunity
9.5 option order otherwise overall paid park particular partner parts passed personally pets phone points poor pop position possibly
9.5 power program projects proud quality quickly rain reach reality realize reasons receive red related relationship return ride
9.5 road role romantic rough scared serious seriously service seven siblings sign silly simple singer sit sitting skills slow snow
9.5 soccer space special spent sport stand starts states store straight strange strong stuck suggest support suppose surprised swift
9.5 swim taste taught teaching telling ten texas text themselves third thoughts throw tomorrow ton towards track train training
9.5 traveling trouble truly twice types unless useful videos voice waiting walking wanna watched we've wear website weeks whenever
9.5 whether white wild win women wondering word words worker worried worse worst writing yesterday york youtube yup
10 000 12 13 14 16 18 40 above acceptable access across additional adults afternoon allow anyways apart apartment argue army artists
10 assume attack average avoid aww b babies ball bank bar barely base bass beauty became becoming bigger bike birds birthday blame
10 board boat bored box bread broken brought buddy built c camp canada cancer card cat cats caught causes center cheese chicago
10 childhood christian climbing closer colors comic complete computers concern concerned concerns conditions connect connected
10 continue control cost cow created creating creative credit cry culture cup current daily dangerous dating decent delicious design
10 didnt direction disappointed discuss disease dollars door double doubt dr draw dreams dress dry dying e earth effort eh
10 elementary email emotional ending ends environment escape essential europe event events eventually everywhere expected expecting
10 experiences extremely eye families favorites fear feed fell films financial finish fix florida fly focused folk following form
10 friendly fully generally goals golden gosh gotten grades grateful greatest ground grown guns gym handle hanging hasn't havent
10 hawaii heat heavy higher highly hikes hip hmmm hobbies horror hospital hour id ideas impossible impressed improve including
10 indeed instrument instruments interact interest interests it'll items itself j jazz jealous john joke jokes k keeping kept key
10 killed lady land language laugh legal lessons lines literally lonely lord loss loving m machine male manager marriage mary match
10 math meals meaning medicine member memories mental mention messages mexico military minute missing mix model modern mood multiple
10 musical nah national nearly needing nights none normally north noticed numbers nursing obviously ocean odd opposite options org
10 original page pain parent pass passionate pasta peace people's period personality perspective pet physical picture piece pieces
10 plays pleasure plenty pool popular positive post potential powerful practicing pregnant pro process project public pull purpose
10 putting quick quiet quit r race raised re reasonable receiving recent recognize regular relate relax relaxing reminds require
10 rescue respect respond response restaurant retire retired rich rights risk rolling round rule rules sadly saturday saving scene
10 schools search secret self sell sent serve shame shape sharing shoes shouldn't showing singing sisters site six skiing sky
10 sleeping someday somehow somewhere sorts soul spain spanish specifically split spot spring stage station staying step stick
10 stones stopped stores street stressed stressful struggle students studio stupid style subject success successful sucks suffer
10 sugar suggestion sun sunday superhero swimming system talented taylor tea term terms therapist they've thinks throughout tom
10 total tour tree trees trust truth turned turns typical understandable understanding unique united university upon uses vacation
10 value variety vegas view voices volunteering wake wall wanting warm wearing wedding weight west who's wide within won wont
10 worries written wrote y yo
10.5 11 17 19 200 25 35 60 70 accepted accident accurate achieve activity actor addition admit adopted adult advantage adventure
10.5 africa ahh alabama album alcohol alive allergic allowed allows amazon among angry anime annoying anxiety anybody apparently
10.5 appreciated areas arizona asia aside asleep aspect assuming attend awake aware awhile background badly bag bake balance bear
10.5 bears becomes begin bell ben beneficial benefits beyond bird birth blast blessed blow blues bob boss bottom brain brand brave
10.5 breaking bright bringing brings bro brown bugs bummer burger bus buying calling calls cared caring carolina carry cases cash
10.5 challenges chances changing channel charge charity cheap checked checking chef chemistry chill china chip choices chose cities
10.5 civil cleaning clearly coast collection combination comedy comfort comics commitment communicate compared competition
10.5 competitive complain complex complicated con concept confident confused confusing congrats congratulations connection
10.5 consideration constantly contact convince cooked cooler corn court cousin cover covered cross cruise crying dates dc de dear
10.5 decisions depend depression describe desert deserve deserves despite details develop developed developing direct dish dishes
10.5 dislike distracted divorce doctors don donate dragons drake drama drinks driver drop drug drugs earn edge effect effective
10.5 effects emergency emotion emotions empire engaged engineer engineering enjoyable enter entirely environmental everybody ex
10.5 exact examples exchange explore express facebook facts fairly fake falling falls fancy fantasy farm fascinating faster fat
10.5 fault favor favourite fed feelings feet fellow fi figured fill filled flavor flavors flying foot force forced foreign forest
10.5 france freedom frequently fries frozen function further gain galaxy gas generation genius german germany ghost gift gold
10.5 goodness google government grab grand grandma grandparents greater greatly grill grocery gross guessing halloween happiness
10.5 harder hardly hated he'll heading heaven heck held here's hero hide highest hilarious himself hm hobby homemade homework horse
10.5 horses houses hows humans humor hurts ideal impact include incredibly india indie individual industry info informed injured
10.5 insane inspired international iron italian italy ive jackson jane japan japanese jim jobs journey joy judge jump junior
10.5 kayaking kick kidding killing kitchen knowledge lack lame las laughing league leaves led leg legend lesson letter letting
10.5 levels liking limit limited link listened location london los losing loud lovely lunch majority management mark market master
10.5 meaningful meat medication meditate memory mess messed metallica mexican mid miles millions minimum minor missed mission
10.5 moments moon mouth murder museum mystery n nasty necessarily nobody note notice novel nurse nuts obsessed offered offering ooh
10.5 orange originally ourselves pack packed painting pair parks participate particularly parties passion paying pays peoples
10.5 peppers per perfectly perform picked plane planned plants police political prepare prepared present president pressure pretend
10.5 previous price primary priority private produce productive progress promise proper properly protect protection prove provided
10.5 psychology pulled purple puts queen radio raise ran random range rare rarely rate realistic realized received recommendation
10.5 record regards regret relationships religion religious remind rent request requires responses responsibility results review
10.5 rewarding rid riding rings river robot roll romance roommate rose roses runs rural safety san saved scare schedule sci screen
10.5 sea seattle secure security seemed selling sending services setting shoot shooting shop shopping shot showed shut shy simply
10.5 sir sites situations size skill skin smell snack society soft software sold solid solo solution solve somebody somewhat sons
10.5 soup southern spider spiderman spirit st stars statement stayed stays steak steaks stephen stomach stranger stream strikes
10.5 struggling studies suck suggestions supporting surely surprise survive sushi taco tacos talent talked talks tall teachers
10.5 technology television tells tennis terrified test theater theatre theory threat throwing tight till tiny tons topic touch toys
10.5 trade trails trained treat trips turning twins typically u2 ugh uh uk understood unfortunate universe upcoming upset valuable
10.5 van violence violin virginia visiting walks washington waste we'd web weren't wind wine winning wise woods writer yard youngest
10.5 zone
`;
